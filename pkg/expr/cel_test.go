package expr

import (
	"context"
	"strings"
	"sync"
	"testing"
)

// vars are as a filter sees them for a push of an image.
func vars() map[string]any {
	return map[string]any{
		VarResource: map[string]any{
			"apiVersion": "image.toolkit.fluxcd.io/v1",
			"kind":       "ImageRepository",
			"metadata": map[string]any{
				"name":       "shop",
				"generation": int64(3),
				"annotations": map[string]any{
					"update-image":      "europe-docker.pkg.dev/acme/apps/shop",
					"source-repository": "acme/shop",
				},
			},
		},
		VarRequest: map[string]any{
			"tag":   "europe-docker.pkg.dev/acme/apps/shop:1.2.3",
			"image": "shop:1.2.3",
			"flag":  true,
			"count": 3.0,
			"list":  []any{"a", "b"},
			"b64":   "aGVsbG8=",
			"time":  "not-a-time-planted",
			"null":  nil,
			"long":  strings.Repeat("x", 4000),
		},
		VarClaims: map[string]any{"repository": "acme/shop", "sub": "x"},
	}
}

func TestFilterEval(t *testing.T) {
	for _, test := range []struct {
		expression string
		want       bool
	}{
		// The examples of spec/receivers.md §8.2.
		{"has(res.metadata.annotations) && req.tag.split('/').last().value().split(':').first().value() == res.metadata.annotations['update-image']", false},
		{"has(res.metadata.annotations) && req.tag.split('/').last().value().split(':').first().value() == 'shop'", true},
		{"req.tag.contains(res.metadata.name)", true},
		{"req.tag.contains('other')", false},
		{"claims.repository == res.metadata.annotations['source-repository']", true},
		{"true", true},
		{"req.flag == true", true},
		// What the environment has to offer.
		{"req.count == 3 && req.count > 2 && res.metadata.generation < 3.5 && size(req.tag) > 2.5", true},
		{"req.?missing.orValue('x') == 'x' && req[?'missing'].hasValue() == false", true},
		{"optional.none().or(optional.of('a')).value() == 'a' && optional.ofNonZeroValue('').hasValue() == false", true},
		{"req.?tag.optMap(t, t.size() > 3).orValue(false)", true},
		{"optional.unwrap([optional.of(1), optional.none()]) == [1] && [optional.of(1)].unwrapOpt() == [1]", true},
		{"['b', 'a'].exists(x, x in req.list) && req.list.all(x, x.size() == 1) && req.list.exists_one(x, x == 'a')", true},
		{"req.list.map(x, x.upperAscii()).join('-') == 'A-B' && req.list.filter(x, x != 'a') == ['b']", true},
		{"'%s:%d'.format(['a', 1]) == 'a:1' && 'abc'.reverse() == 'cba' && strings.quote('a') == '\"a\"' && ' a '.trim() == 'a'", true},
		{"'abcabc'.lastIndexOf('b') == 4 && 'abc'.charAt(1) == 'b' && 'aa'.replace('a', 'b') == 'bb' && 'abc'.substring(1) == 'bc'", true},
		{"sets.contains(req.list, ['a']) && sets.intersects(['a'], ['a', 'b']) && sets.equivalent([1], [1, 1])", true},
		{"base64.decode(req.b64) == b'hello' && base64.encode(b'hello') == req.b64", true},
		{"timestamp('2026-08-07T23:00:00-05:00').getHours() == 4", true}, // UTC unless told otherwise.
		// Errors are absorbed where the other side decides.
		{"req.missing == 1 || true", true},
		{"req.missing == 1 && false", false},
		{"req['null'] == null", true},
	} {
		filter, err := NewReceiverCompiler().Filters(true).Filter("spec.resourceFilter", test.expression)
		if err != nil {
			t.Errorf("%s: %v", test.expression, err)
			continue
		}
		got, err := filter.Eval(t.Context(), vars())
		if err != nil || got != test.want {
			t.Errorf("%s: got %v, %v; want %v", test.expression, got, err, test.want)
		}
	}
}

func TestFilterErrors(t *testing.T) {
	for _, test := range []struct{ name, expression, want string }{
		{"string", "'text'", "spec.resourceFilter:1:1: the result is of type string, but has to be bool"},
		{"dyn", "req.flag", "spec.resourceFilter:1:1: the result is of type dyn, but has to be bool"},
		{"undeclared", "undeclared.x", "spec.resourceFilter:1:1: undeclared reference to 'undeclared'"},
		{"claims where there are none", "claims.sub == 'x'", "spec.resourceFilter:1:1: undeclared reference to 'claims'"},
		{"second line", "true &&\n  nope == 1", "spec.resourceFilter:2:3: undeclared reference to 'nope'"},
		{"syntax", "req.", "spec.resourceFilter:1:5: Syntax error"},
		{"empty", "", "spec.resourceFilter:1:1: Syntax error"},
		{"mixed list", "[1, 'a'].size() == 2", "spec.resourceFilter:1:5: expected type 'int' but found 'string'"},
		{"bindings are not enabled", "cel.bind(x, 1, x == 1)", "undeclared reference"},
		{"math is not enabled", "math.greatest(1, 2) == 2", "undeclared reference"},
		{"lists are not enabled", "[[1]].flatten() == [1]", "undeclared reference"},
		{"regex is not enabled", "regex.replace('a', 'a', 'b') == 'b'", "undeclared reference"},
		{"JSON is not enabled", "json.encode(req) == ''", "undeclared reference"},
		{"two variables are not enabled", "req.list.all(i, v, i < 3)", "spec.resourceFilter:1:"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := NewReceiverCompiler().Filters(false).Filter("spec.resourceFilter", test.expression)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want %q in it", err, test.want)
			}
		})
	}
}

func TestFilterReportsAllMistakes(t *testing.T) {
	_, err := NewReceiverCompiler().Filters(false).Filter("f", "one == 1 &&\ntwo == 2")
	if err == nil || !strings.Contains(err.Error(), "f:1:1: ") || !strings.Contains(err.Error(), "f:2:1: ") {
		t.Errorf("got %v, want both mistakes", err)
	}
}

func TestFilterEvalErrors(t *testing.T) {
	for _, test := range []struct{ name, expression, want string }{
		{"missing key", "req.nope == 'x'", "f:1:4: no such key: nope"},
		{"missing key on the second line", "true &&\nreq.nope.more == 'x'", "f:2:9: no such key: nope"},
		{"missing key from the request", "req[req.time] == 'x'", "f:1:4: no such key"},
		{"wrong type", "dyn(req.tag) + 1 == 2", "no such overload"},
		{"index", "req.list[5] == 'x'", "index out of bounds"},
		{"timestamp", "timestamp(req.time) > timestamp('2020-01-01T00:00:00Z')", "f:1:10: invalid RFC 3339 timestamp"},
		{"number", "int(req.time) > 1", "type conversion error"},
		{"unknown message", "timestamp('2020-01-01T00:00:00Z').getHours(req.time) == 1", "f:1:43: the expression fails for this event or request"},
		{"empty optional", "req.?nope.value() == 1", "optional.none() dereference"},
		{"cost", "req.long.replace('', req.long).size() > 0", "f: the expression takes too many steps for this event or request"},
	} {
		t.Run(test.name, func(t *testing.T) {
			filter, err := NewReceiverCompiler().Filters(false).Filter("f", test.expression)
			if err != nil {
				t.Fatal(err)
			}
			_, err = filter.Eval(t.Context(), vars())
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q in it", err, test.want)
			}
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("the error quotes the request: %v", err)
			}
		})
	}
}

func TestFilterEvalStopsWithItsContext(t *testing.T) {
	filter, err := NewReceiverCompiler().Filters(false).Filter("f", "req.list.all(x, x != '')")
	if err != nil {
		t.Fatal(err)
	}
	long := make([]any, 2*interruptEvery)
	for i := range long {
		long[i] = "x"
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = filter.Eval(ctx, map[string]any{VarRequest: map[string]any{"list": long}, VarResource: map[string]any{}})
	if err == nil || !strings.Contains(err.Error(), "takes too long") {
		t.Errorf("got %v, want an error about time", err)
	}
}

func TestFilterIsSafeForConcurrentUse(t *testing.T) {
	filter, err := NewReceiverCompiler().Filters(false).Filter("f", "req.list.exists(x, x == 'b') && req.tag.contains(res.metadata.name)")
	if err != nil {
		t.Fatal(err)
	}
	shared := vars()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				if ok, err := filter.Eval(t.Context(), shared); !ok || err != nil {
					t.Errorf("got %v, %v", ok, err)
					return
				}
			}
		})
	}
	all.Wait()
}

func BenchmarkCompileFilter(b *testing.B) {
	compiler := NewReceiverCompiler().Filters(false)
	for b.Loop() {
		if _, err := compiler.Filter("f", "req.tag.contains(res.metadata.name)"); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkFilterEval(b *testing.B) {
	filter, err := NewReceiverCompiler().Filters(false).Filter("f", "req.tag.contains(res.metadata.name)")
	if err != nil {
		b.Fatal(err)
	}
	shared := vars()
	for b.Loop() {
		if _, err := filter.Eval(b.Context(), shared); err != nil {
			b.Fatal(err)
		}
	}
}

// TestCompilerOfEvents holds those over other variables to the same rules.
func TestCompilerOfEvents(t *testing.T) {
	compiler := NewCompiler(VarEvent)
	for expression, want := range map[string]string{
		"event.reason == 'a'": "",
		"event.reason":        "spec.eventFilter:1:1: the result is of type dyn, but has to be bool",
		"true && req.a == 1":  "spec.eventFilter:1:9: undeclared reference to 'req'",
		"event.":              "spec.eventFilter:1:7: Syntax error",
	} {
		filter, err := compiler.Filter("spec.eventFilter", expression)
		if want != "" {
			if err == nil || !strings.HasPrefix(err.Error(), want) {
				t.Errorf("%s: %v, want %q", expression, err, want)
			}
			continue
		}
		if passes, err := filter.Eval(t.Context(), map[string]any{VarEvent: map[string]any{"reason": "a"}}); err != nil || !passes {
			t.Errorf("%s: %t, %v", expression, passes, err)
		}
	}
}
