package message

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// failure is an event with everything in it.
func failure() Data { return samples()[0] }

func TestExecute(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"{{.Severity}} {{.Reason}} {{.Message}}", "error HealthCheckFailed timeout waiting for: [Deployment/apps/shop status: 'InProgress']"},
		{"{{with .InvolvedObject}}{{.Kind}} {{.Namespace}}/{{.Name}} {{.APIVersion}}{{end}}", "Kustomization apps/shop kustomize.toolkit.fluxcd.io/v1"},
		{"{{.Timestamp}} {{.ReportingController}} {{.Alert}} {{.Cluster}}", "2026-08-07T10:15:30Z kustomize-controller apps/on-call prod"},
		{"{{.Metadata.summary}}, {{index .Metadata \"a.b/c\" | default \"none\"}}, {{.Metadata.nothing}}.", "shop, none, ."},
		{"{{range $key, $value := .Metadata}}{{$key}}={{shortRevision $value}} {{end}}", "cluster=prod revision=main@1f0c5c0 summary=shop"},
		{"{{with .Metadata.revision}}{{range $.Metadata}}{{.}}{{break}}{{end}}{{end}}", "prod"},
		{"{{range .Metadata}}{{$.Reason}}{{continue}}{{.}}{{else}}nothing{{end}}", strings.Repeat("HealthCheckFailed", 3)},
		{"{{upper .Reason}} {{lower .Reason}} {{trim \" a \"}} {{firstLine \"a\\nb\"}}", "HEALTHCHECKFAILED healthcheckfailed a a"},
		{"{{trunc 7 .Message}} {{trunc 2 \"äöü\"}} {{trunc 0 .Message}}{{trunc 99 \"äöü\"}}", "timeout äö äöü"},
		{"{{trimPrefix \"Health\" .Reason}} {{trimSuffix \"Failed\" .Reason}} {{replace \"Check\" \" check \" .Reason}}", "CheckFailed HealthCheck Health check Failed"},
		{"{{join \"/\" .Cluster .Metadata.nothing .Reason}}|{{join \"/\"}}|", "prod/HealthCheckFailed||"},
		{"{{date \"2 January, 15:04\" .Timestamp}}|{{date \"15:04\" .Metadata.nothing}}|", "7 August, 10:15||"},
		{"{{if and (eq .Severity \"error\" \"info\") (not (contains \"x\" .Reason)) (ne .Reason \"\")}}a{{else}}b{{end}}", "a"},
		{"{{if or (hasPrefix \"Failed\" .Reason) (hasSuffix \"Health\" .Reason)}}a{{else if eq .Reason}}b{{else}}c{{end}}", "c"},
		{"{{$s := .Severity}}{{if eq $s \"error\"}}{{$s = upper $s}}{{end}}{{$s}}", "ERROR"},
		{"{{/* a comment */}}\n  text \n", "text"},
	} {
		compiled, err := Compile("spec.message", test.source)
		if err != nil {
			t.Errorf("%s: %v", test.source, err)
			continue
		}
		if got, err := compiled.Execute(failure()); err != nil || got != test.want {
			t.Errorf("%s: got %q, %v; want %q", test.source, got, err, test.want)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	for _, test := range []struct{ source, want string }{
		{"text\n{{.Message", "spec.message:2: unclosed action"},
		{"{{if .Message}}", "spec.message:1: unexpected EOF"},
		{"{{nothing .Message}}", `spec.message:1: function "nothing" not defined`},
		{"{{.Mesage}}", "spec.message:1:2: <.Mesage>: there is no .Mesage"},
		{"text\n  {{ .InvolvedObject.Nam }}", "spec.message:2:20: <.InvolvedObject.Nam>: there is no .InvolvedObject.Nam"},
		{"{{if eq .Reason \"rare\"}}{{$.Mesage}}{{end}}", "there is no $.Mesage"},
		{"{{with .InvolvedObject}}{{.Reason}}{{end}}", "spec.message:1:26: <.Reason>: can't evaluate field Reason"},
		{"{{trunc .Message 5}}", "spec.message:1:8: <.Message>: wrong type for value; expected int; got string"},
		{"{{trunc -5 .Message}}", "error calling trunc: trunc -5: the number of characters is negative"},
		{"{{date \"15:04\" .Reason}}", "error calling date: date: this is not an RFC 3339 time"},
		{"{{.Message.Len}}", "there is no .Message.Len"},
		{"{{(index .Metadata \"a\").b}}", "is not possible in a message"},
		{"{{upper}}", "spec.message:1:2: <upper>: wrong number of args for upper: want 1 got 0"},
		{"{{.Reason | join}}{{join}}", "spec.message:1:20: <join>: wrong number of args for join: want at least 1 got 0"},
		{"{{upper nil}}", "spec.message:1:8: <nil>: wrong type for value; expected string; got <nil>"},
		{"{{5 | upper}}", "spec.message:1:6: <upper>: wrong type for value; expected string; got int"},
		{"{{.Reason 5}}", "spec.message:1:2: <.Reason>: can't give argument to non-function .Reason"},
		{"{{1.5}}", "spec.message:1:2: <1.5>: is not possible in a message; numbers are whole and decimal"},
		{"{{$x = 1}}", "spec.message:1:2: <$x>: undefined variable: $x"},
		{strings.Repeat("ä", MaxSource+1), "spec.message: has 4097 characters, at most 4096 are possible"},

		// What could run for ever, or take much memory.
		{"{{define \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}", "define and block are not possible"},
		{"{{block \"a\" .}}{{end}}", "define and block are not possible"},
		{"{{define \"a\"}}{{end}}", "define and block are not possible"},
		{"{{template \"spec.message\"}}", "spec.message:1:11: <{{template \"spec.message\"}}>: is not possible"},
		{"{{range 1000000000000}}{{end}}", "spec.message:1:8: <{{range 1000000000000}}{{end}}>: a range is possible over"},
		{"{{with 1000000000000}}{{range .}}{{end}}{{end}}", "a range is possible over"},
		{"{{with .Metadata}}{{range .Metadata}}{{end}}{{end}}", "a range is possible over"},
		{"{{range .Metadata}}{{range $.Metadata}}{{end}}{{end}}", "a range in a range is not possible"},
		{"{{range .Metadata | len}}{{end}}", "a range is possible over"},
		{"{{printf \"%1000000000d\" 1}}", "spec.message:1:2: <printf>: printf is not possible in a message; the functions are and, contains,"},
		{"{{print .Message .Message}}", "print is not possible"},
		{"{{println .}}", "println is not possible"},
		{"{{html .Message}}{{js .Message}}{{urlquery .Message}}", "html is not possible"},
		{"{{slice .Message 1}}", "slice is not possible"},
		{"{{call .Message}}", "call is not possible"},
		{"{{if lt 1 (len .Message)}}{{end}}", "lt is not possible"},
	} {
		if _, err := Compile("spec.message", test.source); err == nil || !strings.HasPrefix(err.Error(), "spec.message:") || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%.60s: %v, want %q", test.source, err, test.want)
		}
	}
}

func TestExecuteErrors(t *testing.T) {
	long := failure()
	long.Message = strings.Repeat("planted ", 300_000)
	many := failure()
	many.Metadata = map[string]string{}
	for i := range maxEntries + 1 {
		many.Metadata[fmt.Sprint(i)] = "planted"
	}
	// Each doubles what the one before has made.
	doubling := "{{$x := .Message}}" + strings.Repeat("{{$x = join \"\" $x $x}}", 100) + "{{trunc 1 $x}}"
	for _, test := range []struct {
		name, source string
		data         Data
		want         string
	}{
		{"output", "{{.Message}}", long, "spec.message: the text is longer than 65536 bytes"},
		{"output of all", "{{.}}", long, "spec.message: the text is longer than 65536 bytes"},
		{"doubling", strings.ReplaceAll(doubling, ".Message", ".Metadata.nothing | default $.Metadata.other"), func() Data {
			d := failure()
			d.Metadata["other"] = "planted"
			return d
		}(), "error calling join: the functions are given too much to do"},
		{"replacing", "{{replace \"\" .Message (trunc 4000 .Message) | trunc 1}}", long, "the functions are given too much to do"},
		{"long texts", strings.Repeat("{{eq .Message $.Message}}", 3), long, "the functions are given too much to do"},
		{"metadata", "{{.Reason}}", many, "spec.message: the event has more than 200 entries of metadata"},
		{"empty", "{{.Metadata.nothing}} ", failure(), "spec.message: the text for this event is empty"},
		{"not a time", "{{with .Metadata.other}}{{date \"15\" .}}{{end}}x", func() Data {
			d := failure()
			d.Metadata["other"] = "planted"
			return d
		}(), "error calling date: date: this is not an RFC 3339 time"},
	} {
		t.Run(test.name, func(t *testing.T) {
			compiled, err := Compile("spec.message", test.source)
			if err != nil {
				t.Fatal(err)
			}
			_, err = compiled.Execute(test.data)
			if err == nil || !strings.HasPrefix(err.Error(), "spec.message:") || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want %q", err, test.want)
			}
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("the error quotes the event: %v", err)
			}
			if !compiled.FirstFailure() || compiled.FirstFailure() {
				t.Error("the first failure is not told apart")
			}
		})
	}
}

// TestBudgetIsOfOneExecution finds executions that use up what others need, before them or at the same time.
func TestBudgetIsOfOneExecution(t *testing.T) {
	compiled, err := Compile("f", "{{upper .Message | trunc 3}}")
	if err != nil {
		t.Fatal(err)
	}
	d := failure()
	d.Message = strings.Repeat("a", maxWork/4)
	var running sync.WaitGroup
	for range 10 {
		running.Go(func() {
			for range 10 {
				if got, err := compiled.Execute(d); err != nil || got != "AAA" {
					t.Errorf("%q, %v", got, err)
				}
			}
		})
	}
	running.Wait()
}

func TestShortRevision(t *testing.T) {
	const digest = "1f0c5c0e5b0e4a559a0c0d2f3a6f7b11c0ffee00"
	for revision, want := range map[string]string{
		"main@sha1:" + digest:                       "main@1f0c5c0",
		"feature/a@b@sha1:" + digest:                "feature/a@b@1f0c5c0",
		"sha1:" + digest:                            "1f0c5c0",
		"1.2.3@sha256:" + digest + digest[:24]:      "1.2.3@1f0c5c0",
		"main/" + digest:                            "main/" + digest,
		"1.2.3":                                     "1.2.3",
		"oci://registry:5000":                       "oci://registry:5000",
		"main@sha1:" + strings.Repeat("planted", 6): "main@sha1:" + strings.Repeat("planted", 6),
		"": "",
	} {
		if got := shortRevision(revision); got != want {
			t.Errorf("%s: %q, want %q", revision, got, want)
		}
	}
}

// FuzzCompile looks for templates that compile and then go beyond the bounds, or panic.
func FuzzCompile(f *testing.F) {
	for _, source := range []string{
		"{{.Severity | upper}}", "{{range $k, $v := .Metadata}}{{$k}}{{$v}}{{else}}x{{end}}", "{{with .InvolvedObject}}{{.Kind}}{{end}}",
		"{{if eq .Reason \"a\" \"b\"}}{{else with .Message}}{{.}}{{end}}", "{{$x := join \"\" .Message .Message}}{{$x = replace \"\" $x $x}}",
		"{{date \"2 January 2006 MST\" .Timestamp}}", "{{range 9}}{{end}}", "{{define \"a\"}}{{template \"a\"}}{{end}}", "{{printf \"%9d\" 1}}",
	} {
		f.Add(source)
	}
	f.Fuzz(func(t *testing.T, source string) {
		compiled, err := Compile("field", source)
		if err != nil {
			if !strings.HasPrefix(err.Error(), "field:") {
				t.Errorf("the error does not begin with the field: %v", err)
			}
			return
		}
		d := failure()
		d.Message = strings.Repeat("x", 1000)
		for i := range 100 {
			d.Metadata[fmt.Sprint(i)] = "value"
		}
		if text, err := compiled.Execute(d); len(text) > maxOutput || (text == "") == (err == nil) {
			t.Errorf("%d bytes, %v", len(text), err)
		}
	})
}

func BenchmarkExecute(b *testing.B) {
	most := failure()
	for i := range maxEntries - len(most.Metadata) {
		most.Metadata[fmt.Sprint(i)] = "x"
	}
	for _, bench := range []struct {
		name, source string
		data         Data
	}{
		{"usual", "{{.InvolvedObject.Name}}: {{.Reason | upper}} {{shortRevision .Metadata.revision}}", failure()},
		// The most steps for a template's length that we know.
		{"longest", "{{$x := \"\"}}{{range .Metadata}}" + strings.Repeat("{{$x = .}}", 400) + "{{end}}x", most},
	} {
		b.Run(bench.name, func(b *testing.B) {
			compiled, err := Compile("f", bench.source)
			if err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := compiled.Execute(bench.data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestReadme looks for each function and field in the page about Alerts.
func TestReadme(t *testing.T) {
	content, err := os.ReadFile("../dispatch/README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range event.SortedKeys(functions()) {
		if !strings.Contains(string(content), "`"+name+" ") && !strings.Contains(string(content), "`"+name+"`") {
			t.Errorf("the page lacks the function %s", name)
		}
	}
	for _, field := range reflect.VisibleFields(reflect.TypeFor[Data]()) {
		names := []string{"." + field.Name}
		if field.Type.Kind() == reflect.Struct {
			names = nil
			for _, inner := range reflect.VisibleFields(field.Type) {
				names = append(names, "."+field.Name+"."+inner.Name)
			}
		}
		for _, name := range names {
			if !strings.Contains(string(content), "`"+name+"`") {
				t.Errorf("the page lacks the field %s", name)
			}
		}
	}
}
