package dispatch

import (
	"maps"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// providers is a cache of Providers by name.
type providers map[string]*v1beta3.Provider

func (p providers) Provider(_, name string) (*v1beta3.Provider, error) {
	if found, ok := p[name]; ok {
		return found, nil
	}
	return nil, apierrors.NewNotFound(v1beta3.Resource("providers"), name)
}

func testProvider(mods ...func(*v1beta3.Provider)) *v1beta3.Provider {
	p := &v1beta3.Provider{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "provider", UID: "provider-uid", Generation: 1},
		Spec:       v1beta3.ProviderSpec{Type: "test", Address: "https://example.com/hooks/T000"},
	}
	for _, mod := range mods {
		mod(p)
	}
	return p
}

// TestRouteFamilies is the table of spec/events.md section 7.
func TestRouteFamilies(t *testing.T) {
	const group = "kustomize.toolkit.fluxcd.io/"
	events := map[string]*event.Event{
		"status update": testEvent(func(e *event.Event) { e.Metadata = map[string]string{group + "commit_status": "update"} }),
		"error":         testEvent(func(e *event.Event) { e.Severity = "error" }),
		"error with change request": testEvent(func(e *event.Event) {
			e.Severity = "error"
			e.Metadata = map[string]string{event.CommonPrefix + "change_request": "7"}
		}),
		"commit": testEvent(func(e *event.Event) { e.Metadata = map[string]string{event.CommonPrefix + "commit": "abc"} }),
		"commit and change request": testEvent(func(e *event.Event) {
			e.Metadata = map[string]string{event.CommonPrefix + "commit": "abc", event.CommonPrefix + "change_request": "7"}
		}),
		"status update with change request": testEvent(func(e *event.Event) {
			e.Metadata = map[string]string{group + "commit_status": "update", event.CommonPrefix + "change_request": "7"}
		}),
		"change request": testEvent(func(e *event.Event) { e.Metadata = map[string]string{event.CommonPrefix + "change_request": "7"} }),
		"plain":          testEvent(),
		// The key of another group is not the controller's.
		"commit under the wrong prefix": testEvent(func(e *event.Event) { e.Metadata = map[string]string{group + "commit": "abc"} }),
	}
	const (
		sent = ""
	)
	tests := []struct {
		event                                 string
		generic, other, commit, changeRequest SkipReason
	}{
		{"status update", sent, SkippedStatusUpdate, sent, SkippedStatusUpdate},
		{"error", sent, sent, sent, SkippedNoChangeRequest},
		{"error with change request", sent, sent, sent, sent},
		{"commit", sent, sent, sent, SkippedNoChangeRequest},
		{"commit and change request", sent, sent, sent, sent},
		{"status update with change request", sent, SkippedStatusUpdate, sent, SkippedStatusUpdate},
		{"change request", sent, sent, SkippedNoCommit, sent},
		{"plain", sent, sent, SkippedNoCommit, SkippedNoChangeRequest},
		{"commit under the wrong prefix", sent, sent, SkippedNoCommit, SkippedNoChangeRequest},
	}
	for _, tt := range tests {
		for family, want := range map[provider.Family]SkipReason{
			provider.FamilyGeneric: tt.generic, provider.FamilyOther: tt.other,
			provider.FamilyCommitStatus: tt.commit, provider.FamilyChangeRequest: tt.changeRequest,
		} {
			if got := skip(family, events[tt.event]); got != want {
				t.Errorf("%s, family %d: skipped because of %q, want %q", tt.event, family, got, want)
			}
		}
	}
}

func TestRoute(t *testing.T) {
	tests := []struct {
		name       string
		provider   *v1beta3.Provider
		wantResult Result
		wantReason provider.Reason
	}{
		{"found", testProvider(), "", ""},
		{"missing", nil, Failed, provider.ReasonConfig},
		{"suspended", testProvider(func(p *v1beta3.Provider) { p.Spec.Suspend = true }), Skipped, SkippedSuspended},
		{"type without a sender", testProvider(func(p *v1beta3.Provider) { p.Spec.Type = "pigeon" }), Failed, provider.ReasonConfig},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			recorded := &outcomes{}
			cached := providers{}
			if tt.provider != nil {
				cached["provider"] = tt.provider
			}
			r := &Router{Providers: cached, Record: recorded, Types: func(name string) (provider.Type, bool) {
				return provider.Type{Name: name}, name == "test"
			}}
			p, _, ok := r.Route(testEvent(), testAlert())
			if want := tt.wantResult == ""; ok != want || (p != nil) != want {
				t.Errorf("routed: %t to %v", ok, p)
			}
			if tt.wantResult != "" && (len(recorded.all) != 1 || recorded.all[0].Result != tt.wantResult || recorded.all[0].Reason != tt.wantReason) {
				t.Errorf("outcomes %+v, want one %s (%s)", recorded.all, tt.wantResult, tt.wantReason)
			}
		})
	}
}

func TestRenderSharesNothing(t *testing.T) {
	e := testEvent(func(e *event.Event) {
		e.Metadata = map[string]string{"kustomize.toolkit.fluxcd.io/revision": "main", event.CommonPrefix + "summary": "of the object"}
	})
	first := testAlert(func(a *v1beta3.Alert) { a.Spec.EventMetadata = map[string]string{"summary": "first"} })
	second := testAlert(func(a *v1beta3.Alert) { a.Spec.Summary = "second" })

	one, conflicts := render(e, first, testProvider())
	other, _ := render(e, second, testProvider())
	if want := map[string]string{"revision": "main", "summary": "first"}; !maps.Equal(one.Event.Metadata, want) {
		t.Errorf("metadata %v, want %v", one.Event.Metadata, want)
	}
	if got := other.Event.Metadata["summary"]; got != "second" {
		t.Errorf("summary %q of the second Alert", got)
	}
	if want := event.SourceAnnotations + ", " + event.SourceEventMetadata; conflicts["summary"] != want {
		t.Errorf("conflicts %v, want sources %q", conflicts, want)
	}
	if len(e.Metadata) != 2 {
		t.Errorf("the event itself was changed: %v", e.Metadata)
	}
}

// seenLabels are the values of metric labels that were recorded.
type seenLabels struct{ seen map[string]bool }

func (l seenLabels) ObserveEvent(result string, _ int) { l.seen["result="+result] = true }

func (l seenLabels) ObserveDelivery(providerType string, _, _ string, _ int, _ time.Duration) {
	l.seen["type="+providerType] = true
}

func (l seenLabels) ObserveAttempt(providerType string, _ time.Duration) {
	l.seen["type="+providerType] = true
}

// TestLabelsAreBounded has Providers say what no schema would let through.
func TestLabelsAreBounded(t *testing.T) {
	recorded := seenLabels{seen: map[string]bool{}}
	router := &Router{
		Providers: providers{
			"good":    testProvider(func(p *v1beta3.Provider) { p.Spec.Suspend = true }),
			"unknown": testProvider(func(p *v1beta3.Provider) { p.Spec.Type = "anything" }),
			"empty":   testProvider(func(p *v1beta3.Provider) { p.Spec.Type = "" }),
		},
		Types: func(name string) (provider.Type, bool) { return provider.Type{Name: name}, name == "test" },
		Record: &EventRecorder{
			Metrics: recorded, Events: record.NewFakeRecorder(10), Log: klog.Background(),
		},
	}
	for _, name := range []string{"good", "unknown", "empty", "missing"} {
		router.Route(testEvent(), testAlert(func(a *v1beta3.Alert) { a.Spec.ProviderRef.Name = name }))
	}
	if want := map[string]bool{"type=test": true, "type=unknown": true}; !maps.Equal(recorded.seen, want) {
		t.Errorf("labels %v, want %v", recorded.seen, want)
	}
}

func TestRenderCluster(t *testing.T) {
	own := func(a *v1beta3.Alert) { a.Spec.EventMetadata = map[string]string{"cluster": "of the Alert"} }
	annotated := func(e *event.Event) { e.Metadata = map[string]string{event.CommonPrefix + "cluster": "of the object"} }
	for _, test := range []struct {
		name, cluster string
		alert         *v1beta3.Alert
		event         *event.Event
		want          map[string]string
	}{
		{"not set", "", testAlert(), testEvent(), nil},
		{"set", "prod", testAlert(), testEvent(), map[string]string{"cluster": "prod"}},
		{"of the Alert", "prod", testAlert(own), testEvent(), map[string]string{"cluster": "of the Alert"}},
		{"of the object", "prod", testAlert(), testEvent(annotated), map[string]string{"cluster": "of the object"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			recorded := &outcomes{}
			r := &Router{Cluster: test.cluster, Record: recorded}
			n, ok := r.Render(t.Context(), test.event, test.alert, testProvider(), provider.Type{})
			if !ok || !maps.Equal(n.Event.Metadata, test.want) {
				t.Errorf("metadata %v, want %v", n.Event.Metadata, test.want)
			}
			if len(recorded.problems) > 0 {
				t.Errorf("reported %q", recorded.problems)
			}
		})
	}
}
