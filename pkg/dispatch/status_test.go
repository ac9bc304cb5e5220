package dispatch

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

func statusFixture(expression string) (*event.Event, *v1beta3.Alert, *v1beta3.Provider) {
	e := &event.Event{
		InvolvedObject: event.ObjectReference{Kind: "Kustomization", Name: "gitops-system", Namespace: "flux"},
		Severity:       "info",
		Metadata:       map[string]string{"environment": "production"},
	}
	p := &v1beta3.Provider{
		ObjectMeta: metav1.ObjectMeta{Name: "prov", Namespace: "flux", UID: "0c9c2e41-d2f9-4f9b-9c41-bebc1984d67a", Generation: 1, ResourceVersion: "1"},
		Spec:       v1beta3.ProviderSpec{Type: "github", CommitStatusExpr: expression},
	}
	a := &v1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Name: "test-alert", Namespace: "flux", UID: "a", ResourceVersion: "1"}}
	return e, a, p
}

// TestStatusID holds the examples of spec/providers.md §9.2 and §9.3, and more.
func TestStatusID(t *testing.T) {
	const long = `event.involvedObject.kind + '/' + event.involvedObject.name + '/' + event.metadata.environment + '/' + `
	for _, test := range []struct{ expression, want, says string }{
		{"", "kustomization/gitops-system/0c9c2e41", ""},
		{long + `provider.metadata.uid + '/' + alert.metadata.name`, "Kustomization/gitops-system/production/0c9c2e41-d2f9-4f9b-9c41-bebc1984d67a/test-alert", ""},
		{`(` + long + `provider.metadata.uid).lowerAscii()`, "kustomization/gitops-system/production/0c9c2e41-d2f9-4f9b-9c41-bebc1984d67a", ""},
		{long + `provider.metadata.uid.split('-').first().value()`, "Kustomization/gitops-system/production/0c9c2e41", ""},
		{`string(event.metadata.environment)`, "production", ""},
		{`'x' + provider.spec.type + provider.metadata.namespace`, "xgithubflux", ""},
		{`has(event.reportingInstance) || event.timestamp != null || has(event.involvedObject.uid) ? 'there' : 'not there'`, "not there", ""},
		{long + `event.metadata.notfound`, "", "spec.commitStatusExpr:1:"},
		{long + `notification.metadata.name`, "", "undeclared reference to 'notification'"},
		{`kustomization.metadata.name + 'x'`, "", "undeclared reference to 'kustomization'"},
		{`event.involvedObject.kind == 'Kustomization'`, "", "type bool, but has to be string"},
		{`event.metadata.environment`, "", "type dyn, but has to be string"},
		{`event.involvedObject.kind + event.involvedObject.name`, "", "type dyn, but has to be string"},
		{`''`, "", "commit status cannot be empty"},
		{"'" + strings.Repeat("x", 1024) + "'", strings.Repeat("x", 1024), ""},
		{"'" + strings.Repeat("x", 1025) + "'", "", "the result of spec.commitStatusExpr has more than 1024 bytes"},
		{`'a' +`, "", "spec.commitStatusExpr:1:"},
	} {
		t.Run(test.expression, func(t *testing.T) {
			e, a, p := statusFixture(test.expression)
			id, err := NewStatusIDs().ID(t.Context(), e, a, p)
			if test.says == "" {
				if err != nil || id != test.want {
					t.Errorf("got %q, %v, want %q", id, err, test.want)
				}
				return
			}
			if err == nil || id != "" || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "Provider 'flux/prov'") {
				t.Errorf("got %q, %v, want an error that says %q", id, err, test.says)
			}
		})
	}
}

func TestStatusIDCheck(t *testing.T) {
	for expression, good := range map[string]bool{"": true, "'a' + event.reason": true, "event.reason": false, "a.b": false} {
		_, _, p := statusFixture(expression)
		err := NewStatusIDs().Check(p)
		if good != (err == nil) || err != nil && provider.Classify(err).Kind != provider.Permanent {
			t.Errorf("%q: %v", expression, err)
		}
	}
}

// TestStatusIDFollowsEdits finds results of an earlier edit, and what is kept of objects that are gone.
func TestStatusIDFollowsEdits(t *testing.T) {
	e, a, p := statusFixture(`'1 ' + alert.metadata.name + provider.metadata.name`)
	ids := NewStatusIDs()
	check := func(want string) {
		t.Helper()
		if got, err := ids.ID(t.Context(), e, a, p); err != nil || got != want {
			t.Errorf("got %q, %v, want %q", got, err, want)
		}
	}
	check("1 test-alertprov")
	a, p = a.DeepCopy(), p.DeepCopy()
	a.Name, a.ResourceVersion = "other", "2"
	p.Spec.CommitStatusExpr, p.Generation = `'2 ' + alert.metadata.name`, 2
	check("2 other")
	ids.Drop(a.UID)
	ids.Drop(p.UID)
	if ids.compiled.Len()+ids.objects.Len() != 0 {
		t.Error("kept what is gone")
	}
}

func TestStatusIDWithCluster(t *testing.T) {
	for expression, want := range map[string]string{
		"":                "prod-eu/kustomization/gitops-system/0c9c2e41",
		"'of the ' + 'P'": "of the P",
	} {
		e, a, p := statusFixture(expression)
		ids := NewStatusIDs()
		ids.Cluster = "Prod-EU"
		if id, err := ids.ID(t.Context(), e, a, p); err != nil || id != want {
			t.Errorf("got %q, %v, want %q", id, err, want)
		}
	}
}
