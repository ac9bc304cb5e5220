package expr

import (
	"context"
	"runtime"
	"strings"
	"testing"
)

// TestMatches holds our own matches to what CEL says of it.
func TestMatches(t *testing.T) {
	compiler := NewCompiler(VarRequest)
	request := map[string]any{"text": "build failed", "pattern": "^build", "broken": "(", "number": 1.0}
	for _, tt := range []struct {
		expression, wrong string
		want              bool
	}{
		{"req.text.matches('failed$')", "", true},
		{"req.text.matches('^failed')", "", false},
		{"matches(req.text, 'failed$')", "", true},
		{"'build'.matches(req.pattern)", "", true},
		{"req.text.matches(req.pattern + ' f')", "", true},
		{"['a', 'b'].exists(x, x.matches('b'))", "", true},
		{"req.missing.matches('a') || true", "", true},
		{"req.text.matches(req.missing)", "f:1:21: no such key: missing", false},
		{"req.number.matches('1')", "no such overload", false},
		{"req.text.matches(req.number)", "no such overload", false},
		{"req.text.matches(req.broken)", "error parsing regexp", false},
	} {
		filter, err := compiler.Filter("f", tt.expression)
		if err != nil {
			t.Errorf("%s: %v", tt.expression, err)
			continue
		}
		got, err := filter.Eval(t.Context(), map[string]any{VarRequest: request})
		if got != tt.want || (err != nil) != (tt.wrong != "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: got %t, %v; want %t, %q", tt.expression, got, err, tt.want, tt.wrong)
		}
	}
}

// TestMatchesIsBounded finds patterns in filters that take memory or time without a limit.
func TestMatchesIsBounded(t *testing.T) {
	compiler := NewCompiler(VarRequest)
	request := map[string]any{
		"text": "x", "long": strings.Repeat("a", 1_000_000), "class": "[" + strings.Repeat("a", 4000) + "]",
		"large": strings.Repeat("a{1000}", 500), "source": strings.Repeat("a", 1_000_000),
	}
	for _, tt := range []struct{ name, expression, compile, eval string }{
		{"a constant", "true ||\nreq.text.matches('" + strings.Repeat("a{1000}", 500) + "')", "f:2:18: the regular expression is too large: it makes", ""},
		{"a constant that does not parse", "req.text.matches('(')", "f:1:18: error parsing regexp", ""},
		{"a function of a constant", "matches(req.text, '(?:ab?){1000}')", "f:1:19: the regular expression is too large: it makes", ""},
		{"a constant to parse", "req.text.matches('" + strings.Repeat("a", 5000) + "')", "f:1:18: the regular expression is too large: it counts", ""},
		{"a computed one", "req.text.matches(req.large)", "", "f:1:17: the regular expression is too large"},
		{"several computed ones", "['a{1000}', 'b{1000}'].exists(x, req.text.matches(x + x + x))", "", "the regular expression is too large"},
		{"a computed one to parse", "req.text.matches(req.source)", "", "the regular expression is too large"},
		{"a long text", "req.long.matches('(?:a?){900}b')", "", "f:1:17: the text is too long for the regular expression"},
		{"a long text for an ordinary one", "req.long.matches('b') || req.text.matches('x')", "", ""},
		{"CEL's cost", "req.long.matches(req.class)", "", "f: the expression takes too many steps"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			filter, err := compiler.Filter("f", tt.expression)
			if err == nil && tt.compile == "" {
				_, err = filter.Eval(t.Context(), map[string]any{VarRequest: request})
			}
			runtime.ReadMemStats(&after)
			want := tt.compile + tt.eval
			if (err == nil) != (want == "") || err != nil && !strings.Contains(err.Error(), want) {
				t.Errorf("got %v, want %q", err, want)
			}
			if took := after.TotalAlloc - before.TotalAlloc; took > 8<<20 {
				t.Errorf("took %d bytes", took)
			}
		})
	}
}

// TestMatchesStopsWithItsContext has matches that are in no comprehension end.
func TestMatchesStopsWithItsContext(t *testing.T) {
	filter, err := NewCompiler(VarRequest).Filter("f", "req.text.matches('a') || req.text.matches('b')")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = filter.Eval(ctx, map[string]any{VarRequest: map[string]any{"text": "b"}})
	if err == nil || !strings.Contains(err.Error(), "takes too long") {
		t.Errorf("got %v, want an error about time", err)
	}
}
