package dispatch

import (
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/expr"
)

func withFilter(expression string) func(*v1beta3.Alert) {
	return func(a *v1beta3.Alert) { a.Spec.EventFilter = expression }
}

func TestEventFilter(t *testing.T) {
	for _, test := range []struct {
		name, filter string
		want         Verdict
		// problem is part of what is reported; nothing is if it is empty.
		problem string
	}{
		{"true", "event.reason == 'ReconciliationSucceeded'", Matched, ""},
		{"false", "event.reason == 'Wanted'", FilteredOut, ""},
		{"object", "event.involvedObject.name.startsWith('sh') && event.involvedObject.namespace == 'apps'", Matched, ""},
		{"metadata as it is kept", "event.metadata['kustomize.toolkit.fluxcd.io/revision'] == 'main'", Matched, ""},
		{"metadata that may be missing", "event.?metadata['event.toolkit.fluxcd.io/env'].orValue('') == 'prod'", FilteredOut, ""},
		{"does not compile", "event.reason ==", FilteredOut, ""},
		{"not a bool", "event.reason", FilteredOut, ""},
		{"fails", "event.nothing == 'x'", FilteredOut, ReasonFilterFailed + ": event for Kustomization/apps/shop is not selected: spec.eventFilter:1:6: no such key: nothing"},
		{"takes too many steps", "event.message.replace('', event.message).replace('', event.message).replace('', event.message).size() > 0", FilteredOut,
			ReasonFilterFailed + ": event for Kustomization/apps/shop is not selected: spec.eventFilter: the expression takes too many steps"},
	} {
		t.Run(test.name, func(t *testing.T) {
			recorded := &outcomes{}
			m := NewMatcher(nil, nil, false, recorded)
			e := testEvent(func(e *event.Event) {
				e.Metadata = map[string]string{"kustomize.toolkit.fluxcd.io/revision": "main"}
				e.Message = strings.Repeat("x", 1000)
			})
			if got := m.verdict(&filterable{Event: e}, testAlert(withFilter(test.filter))); got != test.want {
				t.Errorf("verdict %q, want %q", got, test.want)
			}
			got := strings.Join(recorded.problems, "\n")
			if (got == "") != (test.problem == "") || !strings.HasPrefix(got, test.problem) {
				t.Errorf("reported %q, want %q", got, test.problem)
			}
		})
	}
}

// TestEventFilterIsAskedLast finds a filter that is asked, and fails, before the lists refuse the event.
func TestEventFilterIsAskedLast(t *testing.T) {
	recorded := &outcomes{}
	m := NewMatcher(nil, nil, false, recorded)
	alert := testAlert(withFilter("event.nothing == 'x'"), func(a *v1beta3.Alert) { a.Spec.ExclusionList = []string{"finished"} })
	if got := m.verdict(&filterable{Event: testEvent()}, alert); got != Excluded || len(recorded.problems) != 0 {
		t.Errorf("verdict %q, reported %q", got, recorded.problems)
	}
}

// TestEventFilterSeesOneEvent checks that what filters see is made for the first of them, and once.
func TestEventFilterSeesOneEvent(t *testing.T) {
	m := NewMatcher(nil, nil, false, &outcomes{})
	e := &filterable{Event: testEvent()}
	plain, filtered := testAlert(), testAlert(withFilter("event.severity == 'info' && !has(event.kept)"), func(a *v1beta3.Alert) { a.UID = "other" })
	if m.verdict(e, plain); e.made != nil {
		t.Error("made for an Alert without a filter")
	}
	if got := m.verdict(e, filtered); got != Matched {
		t.Fatalf("verdict %q", got)
	}
	e.made[expr.VarEvent].(map[string]any)["kept"] = true
	if got := m.verdict(e, filtered); got != FilteredOut {
		t.Error("made anew for the second filter")
	}
}

func TestCompileNamesTheFilter(t *testing.T) {
	for filter, want := range map[string]string{
		"true &&\n  nope == 1": "spec.eventFilter:2:3: undeclared reference to 'nope'",
		"event.reason":         "spec.eventFilter:1:1: the result is of type dyn, but has to be bool",
	} {
		if _, err := NewAlertCompiler().Compile(testAlert(withFilter(filter))); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %q", filter, err, want)
		}
	}
	if _, err := NewAlertCompiler().Compile(testAlert(withFilter("event.severity == 'error'"))); err != nil {
		t.Error(err)
	}
}

func BenchmarkVerdictFilter(b *testing.B) {
	m := NewMatcher(nil, nil, false, &outcomes{})
	alert, e := testAlert(withFilter("event.reason == 'ReconciliationSucceeded'")), testEvent()
	b.ReportAllocs()
	for b.Loop() {
		if m.verdict(&filterable{Event: e}, alert) != Matched {
			b.Fatal("no match")
		}
	}
}
