package dispatch

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// TestWarningsNameTheNextStep wants object, Provider and field in what an Alert's Kubernetes Event says.
func TestWarningsNameTheNextStep(t *testing.T) {
	for reason, field := range map[provider.Reason]string{
		provider.ReasonAuth: "spec.secretRef", provider.ReasonNotFound: "spec.address", provider.ReasonRejected: "spec.channel",
		provider.ReasonConnection: "spec.address", provider.ReasonTimeout: "spec.timeout", provider.ReasonTLS: "spec.certSecretRef",
		provider.ReasonRateLimited: "spec.exclusionList", provider.ReasonServerError: "spec.address",
		ReasonQueueFull: "spec.exclusionList", ReasonExpired: "spec.exclusionList", ReasonShutdown: "--shutdown-timeout",
	} {
		events := record.NewFakeRecorder(1)
		recorder := &EventRecorder{Metrics: seenLabels{map[string]bool{}}, Events: events, Log: klog.Background()}
		o := Outcome{
			Object:   event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: "shop"},
			Provider: provider.Object{Namespace: "apps", Name: "slack"},
			Attempts: 1,
		}
		recorder.Outcome(o.failed(reason, errors.New("the service answered 404")))
		message := <-events.Events
		for _, want := range []string{"failed to send notification for Kustomization/apps/shop: the service answered 404", "Provider 'apps/slack'", field} {
			if !strings.Contains(message, want) {
				t.Errorf("%s: %q lacks %q", reason, message, want)
			}
		}
	}
}
