package dispatch

import (
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

func withMessage(template string) func(*v1beta3.Alert) {
	return func(a *v1beta3.Alert) { a.Spec.Message = template }
}

// testRouter renders for one Provider, and is asked with the Alerts of the returned Matcher.
func testRouter(recorded *outcomes) (*Router, *Matcher) {
	m := NewMatcher(nil, nil, false, recorded)
	return &Router{Compiled: m.Compiled, StatusIDs: NewStatusIDs(), Record: recorded}, m
}

func TestRenderMessage(t *testing.T) {
	const all = "{{.Severity}} {{.Reason}} {{.Message}} {{.InvolvedObject.Kind}} {{.InvolvedObject.Namespace}} {{.InvolvedObject.Name}} " +
		"{{.InvolvedObject.APIVersion}} {{.Metadata.revision}} {{.Metadata.env}} {{.Timestamp}} {{.ReportingController}} {{.Alert}} {{.Cluster}}"
	e := testEvent(func(e *event.Event) {
		e.Timestamp = event.Timestamp{Time: time.Date(2026, 8, 7, 12, 15, 30, 0, time.FixedZone("", 7200))}
		e.ReportingController = "kustomize-controller"
		e.Metadata = map[string]string{"kustomize.toolkit.fluxcd.io/revision": "main", event.CommonPrefix + "cluster": "prod"}
	})
	for _, test := range []struct {
		template, want string
		problems       int
	}{
		{"", "Reconciliation finished", 0},
		{all, "info ReconciliationSucceeded Reconciliation finished Kustomization apps shop kustomize.toolkit.fluxcd.io/v1 main blue " +
			"2026-08-07T10:15:30Z kustomize-controller apps/alert prod", 0},
		// What is broken has been reported when it was edited.
		{"{{.Mesage}}", "Reconciliation finished", 0},
		{"{{if eq .Reason \"HealthCheckFailed\"}}x{{end}}", "Reconciliation finished", 1},
	} {
		recorded := &outcomes{}
		r, _ := testRouter(recorded)
		alert := testAlert(withMessage(test.template), func(a *v1beta3.Alert) { a.Spec.EventMetadata = map[string]string{"env": "blue"} })
		for range 3 {
			n, ok := r.Render(t.Context(), e, alert, testProvider(), provider.Type{})
			if !ok || n.Event.Message != test.want {
				t.Errorf("%s: %q, want %q", test.template, n.Event.Message, test.want)
			}
		}
		if len(recorded.problems) != test.problems {
			t.Errorf("%s: reported %q", test.template, recorded.problems)
		}
		edited := alert.DeepCopy()
		edited.Generation++
		r.Render(t.Context(), e, edited, testProvider(), provider.Type{})
		if len(recorded.problems) != 2*test.problems {
			t.Errorf("%s: reported %q after an edit", test.template, recorded.problems)
		}
	}
	if e.Message != "Reconciliation finished" {
		t.Errorf("the event itself was changed: %q", e.Message)
	}
}

// TestListsSeeTheEventsMessage checks that lists, filters and ids of statuses are not about the text of the template.
func TestListsSeeTheEventsMessage(t *testing.T) {
	recorded := &outcomes{}
	r, m := testRouter(recorded)
	alert := testAlert(withMessage("told otherwise"), withFilter("event.message == 'Reconciliation finished'"), func(a *v1beta3.Alert) {
		a.Spec.InclusionList = []string{"finished"}
		a.Spec.ExclusionList = []string{"told"}
	})
	if got := m.verdict(&filterable{Event: testEvent()}, alert); got != Matched {
		t.Errorf("verdict %q", got)
	}
	p := testProvider(func(p *v1beta3.Provider) { p.Spec.CommitStatusExpr = "event.message + ''" })
	n, ok := r.Render(t.Context(), testEvent(), alert, p, provider.Type{Family: provider.FamilyCommitStatus})
	if !ok || n.Event.Message != "told otherwise" || n.StatusID != "Reconciliation finished" {
		t.Errorf("message %q, id %q", n.Event.Message, n.StatusID)
	}
}

func TestCompileNamesTheMessage(t *testing.T) {
	_, err := NewAlertCompiler().Compile(testAlert(withMessage("{{.Message}}\n{{.Mesage}}")))
	if err == nil || !strings.HasPrefix(err.Error(), "spec.message:2:2: ") {
		t.Errorf("got %v", err)
	}
}
