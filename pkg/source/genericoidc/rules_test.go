package genericoidc_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/genericoidc"
)

// TestRules has the claims of the fixture judged by rules. answer is what the caller is told, why what the log says.
func TestRules(t *testing.T) {
	variables := func(pairs ...string) []v1.OIDCVariable {
		var list []v1.OIDCVariable
		for i := 0; i < len(pairs); i += 2 {
			list = append(list, v1.OIDCVariable{Name: pairs[i], Expression: pairs[i+1]})
		}
		return list
	}
	validations := func(expressions ...string) []v1.OIDCValidation {
		var list []v1.OIDCValidation
		for _, expression := range expressions {
			list = append(list, v1.OIDCValidation{Expression: expression, Message: "wrong: " + expression})
		}
		return list
	}
	for _, test := range []struct {
		name        string
		variables   []v1.OIDCVariable
		validations []v1.OIDCValidation
		refused     bool
		answer, why string
	}{
		{name: "true", validations: validations("true")},
		{name: "numbers are doubles", validations: validations("type(claims.run) == double && claims.run == 7")},
		{name: "variables see those before", variables: variables("a", "claims.ref.split('/')", "b", "vars.a[1]"), validations: validations("vars.b == 'tags'")},
		{name: "later ones win", variables: variables("a", "1", "a", "vars.a + 1"), validations: validations("vars.a == 2")},
		{name: "any name", variables: variables("a-b", "claims"), validations: validations("vars['a-b'].sub == claims.sub")},
		{name: "values of all types", variables: variables("t", "timestamp('2026-08-07T10:00:00Z')", "o", "claims.?nope", "n", "null", "m", "{'a': [1, 2, 3, 4]}"),
			validations: validations("vars.t.getFullYear() == 2026 && !vars.o.hasValue() && vars.n == null && vars.m.a.size() == 4")},
		{name: "a claim that may be missing", validations: validations("!has(claims.nope) && claims.?nope.orValue('x') == 'x'")},

		{name: "false", validations: validations("false"), refused: true, answer: "wrong: false", why: "validation failed: wrong: false"},
		{name: "all that are false", validations: validations("claims.ref == 'x'", "true", "claims.sub == ''"), refused: true,
			answer: "wrong: claims.ref == 'x'; wrong: claims.sub == ''"},
		{name: "a claim that is missing", validations: validations("false", "claims.nope == 'x'"), refused: true,
			why: "spec.oidcProviders[0].validations[1].expression:1:7: no such key: nope"},
		{name: "a claim that a variable misses", variables: variables("a", "1", "b", "claims.nope"), validations: validations("true"), refused: true,
			why: "spec.oidcProviders[0].variables[1].expression:1:7: no such key: nope"},
		{name: "a later variable", variables: variables("a", "vars.b", "b", "1"), validations: validations("true"), refused: true, why: "no such key: b"},
		{name: "a wrong type", validations: validations("claims.run.startsWith('x')"), refused: true, why: "no such overload"},
		// One call that costs much, rather than many that also take their time.
		{name: "too many steps", variables: variables("s", "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx'.split('').map(a, 'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx').join('')", "n", "vars.s.replace('', vars.s)"),
			validations: validations("true"), refused: true, why: "takes too many steps"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t)
			f.provider.Variables, f.provider.Validations = test.variables, test.validations
			got, result, err := outcome(t, f.verifier(t), "Bearer "+f.issuer.Token(t, f.claims(nil)))
			if !test.refused {
				if got != good || result.Claims["sub"] != "planted" {
					t.Errorf("got %q, %v", got, err)
				}
				return
			}
			var auth *source.AuthError
			if got != refused || !errors.As(err, &auth) || auth.Answer != test.answer || !strings.Contains(auth.Why, test.why) {
				t.Errorf("got %q, %+v; want the answer %q and %q in the log", got, err, test.answer, test.why)
			}
		})
	}
}

func TestRulesThatDoNotCompile(t *testing.T) {
	providers := []v1.OIDCProvider{
		{IssuerURL: "https://a.example.com", Validations: []v1.OIDCValidation{{Expression: "true", Message: "m"}}},
		{IssuerURL: "https://b.example.com",
			Variables:   []v1.OIDCVariable{{Name: "a", Expression: "1 +"}},
			Validations: []v1.OIDCValidation{{Expression: "true &&\n req.x == 1", Message: "m"}, {Expression: "vars.a", Message: "m"}}},
	}
	_, err := genericoidc.Type(time.Now).Build(source.Config{OIDCProviders: providers})
	for _, want := range []string{
		"spec.oidcProviders[1].variables[0].expression:1:4: Syntax error",
		"spec.oidcProviders[1].validations[0].expression:2:2: undeclared reference to 'req'",
		"spec.oidcProviders[1].validations[1].expression:1:1: the result is of type dyn, but has to be bool",
	} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q in it", err, want)
		}
	}
}
