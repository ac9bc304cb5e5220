package message

import (
	"errors"
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"text/template"

	"sigs.k8s.io/yaml"
)

// theirs executes a template as text/template does, with our functions.
func theirs(source string, d Data) (string, error) {
	b := &budget{left: maxWork}
	text := func(f func(string) string) func(string) string { return f }
	parsed, err := template.New("field").Option("missingkey=zero").Funcs(template.FuncMap{
		"upper": text(strings.ToUpper), "lower": text(strings.ToLower), "trim": text(strings.TrimSpace),
		"firstLine": firstLine, "shortRevision": shortRevision, "trunc": b.trunc,
		"trimPrefix": func(prefix, s string) string { return strings.TrimPrefix(s, prefix) },
		"trimSuffix": func(suffix, s string) string { return strings.TrimSuffix(s, suffix) },
		"hasPrefix":  func(prefix, s string) bool { return strings.HasPrefix(s, prefix) },
		"hasSuffix":  func(suffix, s string) bool { return strings.HasSuffix(s, suffix) },
		"contains":   b.contains, "replace": b.replace, "join": b.join, "default": b.byDefault, "date": b.date,
		"index": func(m map[string]string, key string) string { return m[key] },
		"eq":    b.equal,
		"ne":    func(first, second string) bool { return first != second },
	}).Parse(source)
	if err != nil {
		return "", err
	}
	var out output
	if err := parsed.Execute(&out, d); err != nil {
		return "", err
	}
	return out.text.String(), nil
}

// sameEvents are those of [samples], and one that is in between.
func sameEvents() []Data {
	return append(samples(), Data{
		Severity: "info", Message: "a\nb <no value> %d äöü", InvolvedObject: Object{Name: "Name"},
		Metadata: map[string]string{"Z": "", "a": "x", "Ä": "2026-08-07T10:15:30+02:00", "revision": "-"},
	})
}

// checkSame compares an execution with that of text/template. What the check refuses has none.
func checkSame(t *testing.T, source string) {
	t.Helper()
	compiled, err := parseChecked("field", source)
	if err != nil {
		return
	}
	for i, d := range sameEvents() {
		got, err := compiled.run(d)
		// text/template overlooks the arguments of a field of nil.
		ofNil := err != nil && strings.Contains(source, "nil") && strings.Contains(err.Error(), "can't give argument to non-function")
		if errors.Is(err, errWork) || ofNil {
			continue
		}
		want, theirErr := theirs(source, d)
		if (err == nil) != (theirErr == nil) || err == nil && got != want {
			t.Errorf("%s: event %d: got %q, %v; want %q, %v", source, i, got, err, want, theirErr)
		}
	}
}

// sources are templates that the tests and pages have, and some for what is easily got wrong.
func sources(t testing.TB) []string {
	found := []string{
		"", "a{{- /* comment */ -}} b", "{{.}}{{.Metadata}}{{.InvolvedObject}}{{1}} {{-2}} {{true}} {{not .}}", "{{+5}}{{09}}{{010}}{{-0}}",
		"{{$}}{{$.Metadata.a}}{{.Metadata.Z}}{{with .Metadata}}{{.a}}{{.b}}{{end}}{{with $x := .Metadata}}{{$x.a}}{{.}}{{end}}",
		// Nil.
		"{{or nil nil}}{{not nil}}{{$x := or nil nil}}{{$x.a.b}}{{index nil \"a\"}}{{index $x \"a\"}}{{with $x}}a{{else}}b{{end}}", "{{nil}}",
		"{{upper nil}}", "{{or nil nil | upper}}", "{{or nil nil | or false}}", "{{$ = or nil nil}}{{range $.Metadata}}a{{else}}b{{end}}",
		// Scopes.
		"{{$x := 1}}{{if true}}{{$x := 2}}{{$x}}{{$x = 3}}{{end}}{{$x}}", "{{$x := 1}}{{with .Metadata}}{{$x = .}}{{end}}{{$x}}",
		"{{$x := 1}}{{range .Metadata}}{{$x}}{{$y := .}}{{$x = $y}}{{$x := 5}}{{if $x}}{{continue}}{{end}}{{end}}{{$x}}",
		"{{$k := 1}}{{$v := 2}}{{range $k, $v = .Metadata}}{{end}}{{$k}}{{$v}}", "{{$v := 2}}{{range $v = .Metadata}}{{.}}{{break}}{{end}}{{$v}}",
		"{{range $v := .Metadata}}{{$v}}{{else}}{{$v}}{{end}}", "{{range $k, $v := .Metadata}}{{$k}}{{$v}}{{else}}{{$k}}{{$v}}{{.}}{{end}}",
		"{{range $x, $x := .Metadata}}{{$x}}{{end}}", "{{$x := 1}}{{range $x, $x = .Metadata}}{{$x}}{{end}}{{$x}}",
		"{{or true ($x := 1)}}{{$x}}", "{{or false ($x := 1)}}{{$x}}", "{{upper ($x := \"a\")}}{{$x}}", "{{$y = 1}}", "{{if $x := .Reason}}{{$x}}{{else}}{{$x}}b{{end}}",
		"{{$ = .InvolvedObject}}{{$.Reason}}", "{{$ := .Metadata}}{{range $.Metadata}}{{end}}", "{{$ := .Metadata}}{{$.Metadata.a}}",
		"{{range .Metadata}}{{with .}}{{break}}{{end}}{{.}}{{end}}", "{{range $i, $x := .Metadata}}{{with $y := $x}}{{continue}}{{end}}{{$x}}{{end}}",
		// Pipelines.
		"{{.Reason | upper | trimPrefix \"HEALTH\" | printf}}", "{{\"a\" | join \"b\" \"c\"}}{{\"a\" | join}}{{.Reason | eq \"HealthCheckFailed\"}}",
		"{{.Reason | .Message}}", "{{.Reason 1}}", "{{$x := 1}}{{$x 1}}", "{{(upper .Reason) | lower}}", "{{(upper .Reason) 1}}", "{{1 2}}",
		"{{$x := or nil nil}}{{$x.a 1}}", "{{. 1}}", "{{1 | (upper)}}", "{{upper (lower (.Reason | trim))}}", "{{true | and 1}}{{0 | or \"\"}}{{false | and 0}}{{1 | not}}",
		// Truth, and what is not evaluated.
		"{{and 0 (trunc -1 .Message)}}{{or .Metadata (trunc -1 .Message)}}", "{{and 1 (trunc -1 .Message)}}", "{{if .}}a{{end}}{{if .InvolvedObject}}b{{end}}{{if 0}}c{{else}}d{{end}}",
		"{{with .InvolvedObject.Name}}{{.}}{{else with .Reason}}{{.}}{{else}}{{.Severity}}{{end}}", "{{if false}}{{upper}}{{end}}",
		"{{with \"\"}}{{else}}{{.Reason}}{{end}}", "{{if .Reason}}{{else if .Severity}}{{.Severity}}{{else}}c{{end}}",
		// Arguments of the wrong number or kind.
		"{{upper}}", "{{upper upper}}", "{{upper 1}}", "{{upper .}}", "{{trunc \"a\" .Message}}", "{{trunc 1}}", "{{trunc 1 2 3}}", "{{index . \"a\"}}",
		"{{index .Metadata 1}}", "{{index \"a\" \"b\"}}", "{{and}}", "{{not}}", "{{not 1 2}}", "{{eq}}", "{{eq 1 1}}", "{{ne \"a\"}}", "{{join \"a\" 1}}", "{{1 | join \"a\"}}",
		"{{with .Reason}}{{.a}}{{end}}", "{{with .Metadata}}{{.a.b}}{{end}}", "{{with true}}{{.a}}{{end}}",
	}
	for _, file := range []string{"message_test.go", "../dispatch/README.md"} {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, quoted := range regexp.MustCompile(`"(?:[^"\\\n]|\\.)*\{\{(?:[^"\\\n]|\\.)*"`).FindAllString(string(content), -1) {
			var source string
			if err := yaml.Unmarshal([]byte(quoted), &source); err != nil {
				t.Fatalf("%s: %v", quoted, err)
			}
			found = append(found, source)
		}
		for _, fenced := range regexp.MustCompile("(?ms)^```yaml\n(.*?)^```$").FindAllStringSubmatch(string(content), -1) {
			var alert struct{ Spec struct{ Message string } }
			if err := yaml.Unmarshal([]byte(fenced[1]), &alert); err == nil && alert.Spec.Message != "" {
				found = append(found, alert.Spec.Message)
			}
		}
	}
	return found
}

// TestSame compares the executions of all templates that we have with those of text/template.
func TestSame(t *testing.T) {
	all := sources(t)
	if len(all) < 150 {
		t.Fatalf("found %d templates", len(all))
	}
	for _, source := range all {
		checkSame(t, source)
	}
}

// TestField compares our fields with those that there are.
func TestField(t *testing.T) {
	for _, v := range []any{failure(), failure().InvolvedObject} {
		for _, f := range reflect.VisibleFields(reflect.TypeOf(v)) {
			want := reflect.ValueOf(v).FieldByIndex(f.Index).Interface()
			if got, ok := field(v, f.Name); !ok || !reflect.DeepEqual(got, want) {
				t.Errorf("%s: got %v, want %v", f.Name, got, want)
			}
		}
	}
}

// FuzzSame looks for templates that mean something else in text/template.
func FuzzSame(f *testing.F) {
	for _, source := range sources(f) {
		f.Add(source)
	}
	f.Fuzz(checkSame)
}
