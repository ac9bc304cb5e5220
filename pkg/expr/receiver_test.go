package expr

import (
	"strings"
	"testing"
)

func TestVariablesAndValidations(t *testing.T) {
	values := map[string]any{}
	vars := map[string]any{VarClaims: map[string]any{"ref": "refs/tags/v1", "n": 7.0}, VarVars: values}
	for _, variable := range []struct{ name, expression string }{
		{"parts", "claims.ref.split('/')"},
		{"tag", "vars.parts[2]"},
		{"missing", "claims.?nope"},
	} {
		compiled, err := NewReceiverCompiler().Claims().Variable("f", variable.expression)
		if err != nil {
			t.Fatal(err)
		}
		if values[variable.name], err = compiled.Eval(t.Context(), vars); err != nil {
			t.Fatal(err)
		}
	}
	for expression, want := range map[string]bool{
		"vars.tag == 'v1' && vars.parts.size() == 3": true,
		"vars.missing.hasValue()":                    false,
		"claims.n == 7 && type(claims.n) == double":  true,
	} {
		compiled, err := NewReceiverCompiler().Claims().Filter("f", expression)
		if err != nil {
			t.Errorf("%s: %v", expression, err)
			continue
		}
		if got, err := compiled.Eval(t.Context(), vars); err != nil || got != want {
			t.Errorf("%s: got %v, %v", expression, got, err)
		}
	}
}

func TestVariablesAndValidationsThatFail(t *testing.T) {
	for expression, want := range map[string]string{
		"req.x == 1": "f:1:1: undeclared reference to 'req'",
		"res.x == 1": "f:1:1: undeclared reference to 'res'",
		"1 +":        "f:1:4: Syntax error",
	} {
		if _, err := NewReceiverCompiler().Claims().Variable("f", expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("variable %s: got %v, want %q in it", expression, err, want)
		}
		if _, err := NewReceiverCompiler().Claims().Filter("f", expression); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("validation %s: got %v, want %q in it", expression, err, want)
		}
	}
	if _, err := NewReceiverCompiler().Claims().Filter("f", "claims.ok"); err == nil || !strings.Contains(err.Error(), "f:1:1: the result is of type dyn, but has to be bool") {
		t.Errorf("got %v", err)
	}
	variable, err := NewReceiverCompiler().Claims().Variable("f", "1 +\n claims.nope")
	if err != nil {
		t.Fatal(err)
	}
	_, err = variable.Eval(t.Context(), map[string]any{VarClaims: map[string]any{}, VarVars: map[string]any{}})
	if err == nil || err.Error() != "f:2:8: no such key: nope" {
		t.Errorf("got %v", err)
	}
}
