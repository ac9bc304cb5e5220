package dispatch

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/expr"
)

// testAlert selects all Kustomizations of its namespace, changed by mods.
func testAlert(mods ...func(*v1beta3.Alert)) *v1beta3.Alert {
	a := &v1beta3.Alert{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "alert", UID: "alert-uid", Generation: 1},
		Spec: v1beta3.AlertSpec{
			ProviderRef:   v1beta3.LocalObjectReference{Name: "provider"},
			EventSeverity: v1beta3.EventSeverityInfo,
			EventSources:  []v1beta3.CrossNamespaceObjectReference{{Kind: "Kustomization", Name: "*"}},
		},
	}
	for _, mod := range mods {
		mod(a)
	}
	return a
}

func testEvent(mods ...func(*event.Event)) *event.Event {
	e := &event.Event{
		InvolvedObject: event.ObjectReference{APIVersion: "kustomize.toolkit.fluxcd.io/v1", Kind: "Kustomization", Namespace: "apps", Name: "shop"},
		Severity:       "info",
		Message:        "Reconciliation finished",
		Reason:         "ReconciliationSucceeded",
	}
	for _, mod := range mods {
		mod(e)
	}
	return e
}

func TestVerdict(t *testing.T) {
	source := func(s v1beta3.CrossNamespaceObjectReference) func(*v1beta3.Alert) {
		return func(a *v1beta3.Alert) { a.Spec.EventSources = []v1beta3.CrossNamespaceObjectReference{s} }
	}
	severity := func(alert, of string) (func(*v1beta3.Alert), func(*event.Event)) {
		return func(a *v1beta3.Alert) { a.Spec.EventSeverity = alert }, func(e *event.Event) { e.Severity = of }
	}
	onlyError, errorEvent := severity("error", "error")
	_, traceEvent := severity("", "trace")
	include := func(list ...string) func(*v1beta3.Alert) {
		return func(a *v1beta3.Alert) { a.Spec.InclusionList = list }
	}
	exclude := func(list ...string) func(*v1beta3.Alert) {
		return func(a *v1beta3.Alert) { a.Spec.ExclusionList = list }
	}
	both := func(mods ...func(*v1beta3.Alert)) func(*v1beta3.Alert) {
		return func(a *v1beta3.Alert) {
			for _, mod := range mods {
				mod(a)
			}
		}
	}
	// A message with a word about the place where it is cut.
	longBy := func(n int) func(*event.Event) {
		return func(e *event.Event) { e.Message = strings.Repeat(" ", expr.MaxText+n) + "needle and more" }
	}
	foreign := source(v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "shop", Namespace: "other"})
	inOther := func(e *event.Event) { e.InvolvedObject.Namespace = "other" }

	tests := []struct {
		name    string
		alert   func(*v1beta3.Alert)
		event   func(*event.Event)
		blocked bool
		want    Verdict
	}{
		{name: "all of a kind", want: Matched},
		{name: "by name", alert: source(v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "shop"}), want: Matched},
		{name: "other name", alert: source(v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "sho*"}), want: OtherSource},
		{name: "kind case counts", alert: source(v1beta3.CrossNamespaceObjectReference{Kind: "kustomization", Name: "*"}), want: OtherSource},
		{name: "apiVersion does not count", alert: source(v1beta3.CrossNamespaceObjectReference{APIVersion: "x/v9", Kind: "Kustomization", Name: "*"}), want: Matched},
		{name: "empty list", alert: func(a *v1beta3.Alert) { a.Spec.EventSources = nil }, want: OtherSource},
		{name: "suspended", alert: func(a *v1beta3.Alert) { a.Spec.Suspend = true }, want: Suspended},
		{name: "other namespace", event: inOther, want: OtherSource},
		{name: "namespace of the source", alert: foreign, event: inOther, want: Matched},
		{name: "cross-namespace blocked", alert: foreign, event: inOther, blocked: true, want: CrossNamespace},
		{name: "own namespace not blocked", blocked: true, want: Matched},
		{name: "error wanted, info came", alert: onlyError, want: OtherSeverity},
		{name: "error wanted and came", alert: onlyError, event: errorEvent, want: Matched},
		{name: "info lets trace through", event: traceEvent, want: Matched},
		{name: "included", alert: include("^nothing$", "finish"), want: Matched},
		{name: "not included", alert: include("^finished"), want: NotIncluded},
		{name: "only a broken inclusion", alert: include("("), want: NotIncluded},
		{name: "broken and good inclusion", alert: include("(", "finished"), want: Matched},
		{name: "excluded", alert: exclude("fin.shed$"), want: Excluded},
		{name: "broken exclusion", alert: exclude("("), want: Matched},
		{name: "exclusion beats inclusion", alert: both(include("finished"), exclude("finished")), want: Excluded},
		{name: "labels equal", alert: source(v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "*", MatchLabels: map[string]string{"team": "web"}}), want: Matched},
		{name: "labels of a named object count too", alert: source(v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "shop", MatchLabels: map[string]string{"team": "db"}}), want: OtherLabels},
		{name: "no labels wanted", alert: source(v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "*", MatchLabels: map[string]string{}}), want: Matched},
		{name: "included by what is matched", alert: include("needle"), event: longBy(-6), want: Matched},
		{name: "included by what is beyond", alert: include("needle"), event: longBy(-5), want: NotIncluded},
		{name: "filter on what is seen", alert: withFilter("event.message.contains('needle')"), event: longBy(-6), want: Matched},
		{name: "filter on what is beyond", alert: withFilter("event.message.contains('needle')"), event: longBy(-5), want: FilteredOut},
		{name: "too large an inclusion", alert: include("a{1000}b{1000}c{1000}|finished"), want: NotIncluded},
		{name: "invalid labels", alert: source(v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "*", MatchLabels: map[string]string{"a b": "c"}}), want: OtherLabels},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			alert, e := testAlert(), testEvent()
			if tt.alert != nil {
				tt.alert(alert)
			}
			if tt.event != nil {
				tt.event(e)
			}
			labels := func(event.ObjectReference) (map[string]string, error) { return map[string]string{"team": "web"}, nil }
			m := NewMatcher(nil, labels, tt.blocked, &outcomes{})
			if got := m.verdict(&filterable{Event: e}, alert); got != tt.want {
				t.Errorf("verdict %q, want %q", got, tt.want)
			}
		})
	}
}

func TestVerdictReportsLabelsItCannotGet(t *testing.T) {
	recorded := &outcomes{}
	alert := testAlert(func(a *v1beta3.Alert) { a.Spec.EventSources[0].MatchLabels = map[string]string{"team": "web"} })
	m := NewMatcher(nil, func(event.ObjectReference) (map[string]string, error) { return nil, errors.New("forbidden") },
		false, recorded)
	if got := m.verdict(&filterable{Event: testEvent()}, alert); got != OtherLabels {
		t.Errorf("verdict %q", got)
	}
	if len(recorded.problems) != 1 || !strings.HasPrefix(recorded.problems[0], ReasonSourceFetchFailed) {
		t.Errorf("problems %q, want one %s", recorded.problems, ReasonSourceFetchFailed)
	}
}

// TestVerdictAsksForLabelsOnce has an Alert with many sources that all need the labels.
func TestVerdictAsksForLabelsOnce(t *testing.T) {
	source := v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: "*", MatchLabels: map[string]string{"team": "db"}}
	other, last := source, source
	other.Kind = "HelmRelease"
	last.MatchLabels = map[string]string{"team": "web"}
	alert := testAlert(func(a *v1beta3.Alert) {
		a.Spec.EventSources = []v1beta3.CrossNamespaceObjectReference{other, source, source, source, last}
	})
	for _, tt := range []struct {
		err      error
		want     Verdict
		problems []string
	}{
		{nil, Matched, nil},
		{errors.New("forbidden"), OtherLabels, []string{ReasonSourceFetchFailed + ": get the labels of Kustomization/apps/shop for spec.eventSources[1]: forbidden"}},
	} {
		recorded := &outcomes{}
		asked := 0
		m := NewMatcher(nil, func(event.ObjectReference) (map[string]string, error) {
			asked++
			return map[string]string{"team": "web"}, tt.err
		}, false, recorded)
		if got := m.verdict(&filterable{Event: testEvent()}, alert); got != tt.want || asked != 1 {
			t.Errorf("%v: verdict %q, asked %d times, want %q, once", tt.err, got, asked, tt.want)
		}
		if !slices.Equal(recorded.problems, tt.problems) {
			t.Errorf("%v: problems %q, want %q", tt.err, recorded.problems, tt.problems)
		}
	}
}

func TestVerdictDoesNotProbeForeignLabels(t *testing.T) {
	alert := testAlert(func(a *v1beta3.Alert) {
		a.Spec.EventSources[0].Namespace = "other"
		a.Spec.EventSources[0].MatchLabels = map[string]string{"team": "web"}
	})
	m := NewMatcher(nil, func(event.ObjectReference) (map[string]string, error) {
		t.Error("labels were looked up")
		return nil, nil
	}, true, &outcomes{})
	m.verdict(&filterable{Event: testEvent(func(e *event.Event) { e.InvolvedObject.Namespace = "other" })}, alert)
}

func TestCompileAlertNamesFields(t *testing.T) {
	_, err := NewAlertCompiler().Compile(testAlert(func(a *v1beta3.Alert) {
		a.Spec.InclusionList = []string{"ok", "("}
		a.Spec.ExclusionList = []string{"[", "a{1000}b{1000}c{1000}"}
		a.Spec.EventSources[0].MatchLabels = map[string]string{"a b": "c"}
	}))
	for _, field := range []string{"spec.inclusionList[1]", "spec.exclusionList[0]", "spec.eventSources[0].matchLabels",
		"spec.exclusionList[1]: the regular expression is too large: it makes a program of 3002 instructions, but at most 2100 are allowed"} {
		if err == nil || !strings.Contains(err.Error(), field) {
			t.Errorf("error %v does not name %s", err, field)
		}
	}
}

func TestCompiledOncePerGeneration(t *testing.T) {
	m := NewMatcher(nil, nil, false, &outcomes{})
	alert := testAlert(func(a *v1beta3.Alert) { a.Spec.InclusionList = []string{"Unhealthy"} })
	if got := m.verdict(&filterable{Event: testEvent()}, alert); got != NotIncluded {
		t.Fatalf("verdict %q", got)
	}
	edited := alert.DeepCopy()
	edited.Generation++
	edited.Spec.InclusionList = []string{"finished"}
	if got := m.verdict(&filterable{Event: testEvent()}, edited); got != Matched {
		t.Errorf("the edit did not take effect: %q", got)
	}
	if m.compiled.Len() != 1 {
		t.Errorf("%d compiled Alerts kept of one", m.compiled.Len())
	}
	m.Drop(alert.UID)
	if m.compiled.Len() != 0 {
		t.Error("a dropped Alert is kept")
	}
}

func BenchmarkVerdict(b *testing.B) {
	for _, patterns := range []int{0, 10} {
		b.Run(fmt.Sprintf("patterns=%d", patterns), func(b *testing.B) {
			alert := testAlert(func(a *v1beta3.Alert) {
				a.UID = types.UID("bench")
				for i := range patterns {
					a.Spec.ExclusionList = append(a.Spec.ExclusionList, fmt.Sprintf("pattern-%d.*end", i))
				}
			})
			m := NewMatcher(nil, nil, false, &outcomes{})
			e := testEvent()
			b.ReportAllocs()
			for b.Loop() {
				if m.verdict(&filterable{Event: e}, alert) != Matched {
					b.Fatal("no match")
				}
			}
		})
	}
}
