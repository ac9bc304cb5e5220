// Package message makes the texts that Alerts put in the place of an event's message: Go templates, with what could
// make one run for long, or take much memory, left out.
//
// An execution ends, and soon, because of these bounds together:
//   - The source has at most [MaxSource] characters. Only what check.go lists is in it: no template calls another, and
//     a range is over the metadata, at most maxEntries of them, and in no other range. So there are at most as many
//     steps as characters times entries.
//   - A step is either a look at a value, which takes a constant time, or a call of a function, or writes. Functions
//     (functions.go) share a budget of bytes for all that they read and make in one execution; they have no other
//     input than their arguments.
//   - What is written is at most maxOutput bytes.
package message

import (
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"text/template/parse"
	"unicode/utf8"
)

const (
	// MaxSource is how many characters a template can have; the schema of spec.message says so too.
	MaxSource = 4096
	// maxEntries is how many entries the metadata can have. Those of controllers and Alerts are some ten. The longest
	// execution that we know, of BenchmarkExecute, takes 3 ms.
	maxEntries = 200
	// maxOutput is how many bytes a text can have: more than the 39,000 that an event's message is meant to have.
	maxOutput = 64 << 10
)

// Data is what a template is about: an event as its Alert sends it. It holds texts and nothing that has methods.
type Data struct {
	Severity, Reason, Message string
	InvolvedObject            Object
	// Metadata is merged and has no prefixes.
	Metadata map[string]string
	// Timestamp is in RFC 3339 in UTC; empty if the event does not say.
	Timestamp           string
	ReportingController string
	// Alert is NAMESPACE/NAME.
	Alert string
	// Cluster is the entry of that name in the metadata.
	Cluster string
}

// Object is what an event is about.
type Object struct{ Kind, Namespace, Name, APIVersion string }

// Template is a compiled template. It is safe for concurrent use.
type Template struct {
	field     string
	tree      *parse.Tree
	functions map[string]function
	failed    atomic.Bool
}

// Compile compiles a template and tries it. Every error begins with field, the place of the template in the spec, and
// the line of the mistake, mostly with the column.
func Compile(field, source string) (*Template, error) {
	if length := utf8.RuneCountInString(source); length > MaxSource {
		return nil, fmt.Errorf("%s: has %d characters, at most %d are possible", field, length, MaxSource)
	}
	t, err := parseChecked(field, source)
	if err != nil {
		return nil, err
	}
	for _, sample := range samples() {
		if _, err := t.run(sample); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// parseChecked is a template that has not been tried.
func parseChecked(field, source string) (*Template, error) {
	trees := map[string]*parse.Tree{}
	tree, err := parse.New(field).Parse(source, "", "", trees, knownNames())
	if err != nil {
		return nil, errors.New(strings.TrimPrefix(err.Error(), "template: "))
	}
	if len(trees) != 1 || trees[field] != tree {
		return nil, fmt.Errorf("%s: define and block are not possible in a message", field)
	}
	used, err := check(tree)
	if err != nil {
		return nil, err
	}
	return &Template{field: field, tree: tree, functions: used}, nil
}

// knownNames are the functions that the parser lets pass: ours, and those that templates have elsewhere, of which the
// check says what there is instead.
func knownNames() map[string]any {
	known := map[string]any{}
	for name := range functions() {
		known[name] = true
	}
	for _, name := range []string{"call", "ge", "gt", "html", "js", "le", "len", "lt", "print", "printf", "println", "slice", "urlquery"} {
		known[name] = true
	}
	return known
}

// Execute returns the text for an event, without space around it. It fails if there is none, and at the bounds of the
// package. The error begins with the field, and does not quote the event.
func (t *Template) Execute(d Data) (string, error) {
	if len(d.Metadata) > maxEntries {
		return "", fmt.Errorf("%s: the event has more than %d entries of metadata", t.field, maxEntries)
	}
	text, err := t.run(d)
	if err != nil {
		return "", err
	}
	if text = strings.TrimSpace(text); text == "" {
		return "", fmt.Errorf("%s: the text for this event is empty", t.field)
	}
	return text, nil
}

// FirstFailure is true of the first call, for those who tell of failures once.
func (t *Template) FirstFailure() bool { return !t.failed.Swap(true) }

func (t *Template) run(d Data) (string, error) {
	e := execution{Template: t, budget: budget{left: maxWork}, variables: []variable{{"$", d}}}
	err := e.list(e.variables[0].value, t.tree.Root)
	if errors.Is(err, errOutput) {
		return "", fmt.Errorf("%s: %w", t.field, err)
	}
	return e.out.text.String(), err
}

// output is a text of limited length.
type output struct{ text strings.Builder }

var errOutput = fmt.Errorf("the text is longer than %d bytes; shorten it with trunc", maxOutput)

func (o *output) Write(p []byte) (int, error) {
	if o.text.Len()+len(p) > maxOutput {
		return 0, errOutput
	}
	return o.text.Write(p)
}

// print writes a value as [fmt.Print] has it.
func (o *output) print(v value) error {
	if v == nil {
		v = "<no value>"
	}
	_, err := fmt.Fprint(o, v)
	return err
}

// samples are events to try a template on: one with everything, and one with nothing.
func samples() []Data {
	return []Data{{
		Severity: "error", Reason: "HealthCheckFailed", Message: "timeout waiting for: [Deployment/apps/shop status: 'InProgress']",
		InvolvedObject: Object{Kind: "Kustomization", Namespace: "apps", Name: "shop", APIVersion: "kustomize.toolkit.fluxcd.io/v1"},
		Metadata:       map[string]string{"revision": "main@sha1:1f0c5c0e5b0e4a559a0c0d2f3a6f7b11c0ffee00", "summary": "shop", "cluster": "prod"},
		Timestamp:      "2026-08-07T10:15:30Z", ReportingController: "kustomize-controller", Alert: "apps/on-call", Cluster: "prod",
	}, {}}
}
