package expr

import (
	"fmt"
	"regexp/syntax"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

func TestRegexpsAreShared(t *testing.T) {
	r := NewRegexps()
	one, errs := r.Patterns("f", []string{"a+", "b", "("})
	other, more := r.Patterns("f", []string{"b", "a+"})
	if len(errs) != 1 || len(more) != 0 || one.compiled[0] != other.compiled[1] || one.compiled[1] != other.compiled[0] {
		t.Errorf("%v %v %v %v", one, errs, other, more)
	}
	if one.Configured != 3 || !one.MatchAny("xaax") || one.MatchAny("x") {
		t.Errorf("%+v", one)
	}
	runtime.KeepAlive(one)
}

// TestRegexpsAreForgotten finds expressions that stay for ever.
func TestRegexpsAreForgotten(t *testing.T) {
	r := NewRegexps()
	kept, _ := r.Patterns("f", []string{"kept"})
	for i := range 1000 {
		_, _ = r.Patterns("f", []string{fmt.Sprint("gone ", i)})
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(time.Millisecond) {
		runtime.GC()
		r.mu.Lock()
		n := len(r.known)
		r.mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%d expressions are kept", n)
		}
	}
	again, _ := r.Patterns("f", []string{"kept"})
	if again.compiled[0] != kept.compiled[0] {
		t.Error("what is in use has been forgotten")
	}
}

// TestRegexpsAreBounded finds expressions that take memory or time that nobody needs, and has ordinary ones refused.
func TestRegexpsAreBounded(t *testing.T) {
	sentence := "^Dependencies do not meet ready condition, retrying in [0-9]+s"
	distinct := func(n int, text string) []string {
		var expressions []string
		for i := range n {
			expressions = append(expressions, fmt.Sprint(text, i))
		}
		return expressions
	}
	for _, tt := range []struct {
		name        string
		expressions []string
		// wrong is the place of the first error, and how it ends; empty without one.
		wrong, how string
	}{
		{"a hundred sentences", distinct(100, sentence), "", ""},
		{"a list of names", []string{"^(" + strings.Join(distinct(150, "customer-"), "|") + ")$"}, "", ""},
		{"letters of all languages", []string{`^[\pL\pN_-]+/[\pL\pN_-]+$`, `(?i)\bfehlgeschlagen\b`}, "", ""},
		{"repetitions of large classes", []string{`^tenant [\p{L}\d]{1,63}: no change`, `\b\p{Lu}\p{Ll}{3,30}\b`}, "", ""},
		{"as many repetitions as there may be", []string{".{1,1000}", "^.{0,1000}$"}, "", ""},
		{"long", []string{"a", strings.Repeat(" ", maxSource+1) + "["}, "f[1]", "4098 bytes, but at most 4096 are allowed"},
		{"short, but many instructions", []string{"a", strings.Repeat("a{1000}", 500)}, "f[1]", "at most 2100 are allowed"},
		{"nested", []string{"(?:(?:a?){100}bcdefghijklm){10}c"}, "f[0]", "at most 2100 are allowed"},
		{"classes to parse", []string{"a", "[" + strings.Repeat(`\pL`, 400) + "]"}, "f[1]", "at most 4096 are allowed"},
		{"ranges to parse", []string{"a", "(?i)" + strings.Repeat(`[B-\x{1e000}]`, 100)}, "f[1]", "at most 4096 are allowed"},
		{"ranges to parse, as they are", []string{"a", "(?i)" + strings.Repeat("[B-🀀]", 100)}, "f[1]", "at most 4096 are allowed"},
		{"classes that take memory", []string{strings.Repeat(`\pL`, 100)}, "f[0]", "at most 100000 are allowed"},
		{"many with classes", distinct(10, `^\pL{1,50}`), "f[3]", "are left out"},
		{"many", distinct(1000, sentence), "f[160]", "are left out"},
		{"many that are short", distinct(3000, `\d{500}`), "f[19]", "are left out"},
		{"many that do not parse", slices.Repeat([]string{strings.Repeat("(", 1000)}, 100), "f[16]", "are left out"},
		{"empty ones", make([]string, 100_000), "f[3333]", "are left out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			patterns, errs := NewRegexps().Patterns("f", tt.expressions)
			runtime.ReadMemStats(&after)
			if took := after.TotalAlloc - before.TotalAlloc; took > 16<<20 {
				t.Errorf("%d bytes to compile", took)
			}
			if patterns.Configured != len(tt.expressions) {
				t.Errorf("%d configured", patterns.Configured)
			}
			if tt.wrong == "" && len(errs) > 0 || tt.wrong != "" && len(errs) == 0 {
				t.Fatalf("errors %v", errs)
			}
			if tt.wrong == "" {
				return
			}
			// Of what is left out only one is named.
			last := errs[len(errs)-1].Error()
			if !strings.HasPrefix(last, tt.wrong+": ") || !strings.HasSuffix(last, tt.how) || len(errs) > 20 {
				t.Errorf("%d errors, the last %v", len(errs), last)
			}
			if slices.ContainsFunc(patterns.compiled, func(s *sized) bool { return s.String() == tt.expressions[len(tt.expressions)-1] && s.String() != "" }) {
				t.Error("what is too large is compiled")
			}
		})
	}
}

// TestInstructions compares the estimate with what is compiled.
func TestInstructions(t *testing.T) {
	for _, expression := range []string{
		"", "a", "abc", "(?i)abc", "[ab]", "a|b", "ab|ac|", "(a)(b)", "a*", "(a*)*", "(?:a?)*", "a+", "(?:a*)+", "a?", "a??", "a{3}", "a{0}", "a{0,}", "a{1,}",
		"a{2,}", "a{0,3}", "(?:ab|c){2,7}", "(?:a{2,}){3,}", "(?:a{0,3}){0,3}", "(?:){1000}", "(?:(?:a?){30}){30}", "^a$", `\bx\b`, ".*", `(?s).`, `[^\x00-\x{10FFFF}]`,
		`^(\w+)-([0-9a-f]{8,10})-(\w{5}) is (?:not )?ready$`, `\Qa+b\E`, `\p{L}[\p{L}\p{N}_-]{0,62}`, "(?:|a)+", "(?:(?:|a)*|b){3,}",
	} {
		parsed, err := syntax.Parse(expression, syntax.Perl)
		if err != nil {
			t.Fatal(err)
		}
		estimate := matchInstruction + sizeOf(parsed).instructions
		compiled, err := syntax.Compile(parsed.Simplify())
		if err != nil {
			t.Fatal(err)
		}
		if n := len(compiled.Inst); estimate < n || estimate > n+n/4+4 {
			t.Errorf("%q has %d instructions, the estimate is %d", expression, n, estimate)
		}
	}
}

// TestMatchesFirstPartOfText bounds what a match takes by the length of a text.
func TestMatchesFirstPartOfText(t *testing.T) {
	patterns, _ := NewRegexps().Patterns("f", []string{"needle"})
	if !patterns.MatchAny(strings.Repeat(" ", MaxText-6) + "needle") {
		t.Error("no match at the end of what is matched")
	}
	if patterns.MatchAny(strings.Repeat(" ", MaxText-5) + "needle") {
		t.Error("a match beyond")
	}
	for _, text := range []string{strings.Repeat("é", MaxText), " " + strings.Repeat("é", MaxText), strings.Repeat("\x80", 2*MaxText)} {
		if cut := CutText(text); len(cut) > MaxText || len(cut) < MaxText-utf8.UTFMax || utf8.ValidString(text) && !utf8.ValidString(cut) {
			t.Errorf("cut to %d bytes", len(cut))
		}
	}
}
