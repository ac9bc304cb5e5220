package providertest

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Notification returns the reference notification of a failure, with a message of two lines that JSON escapes and
// metadata of the controller and of the Alert.
func Notification() *provider.Notification {
	return &provider.Notification{
		Event: event.Event{
			InvolvedObject: event.ObjectReference{
				Kind:            "Kustomization",
				Namespace:       "apps",
				Name:            "webapp",
				UID:             "7d0cdc51-ddcf-4743-b223-83ca5c699632",
				APIVersion:      "kustomize.toolkit.fluxcd.io/v1",
				ResourceVersion: "184467",
			},
			Severity:  event.SeverityError,
			Timestamp: event.Timestamp{Time: time.Date(2026, time.August, 7, 10, 15, 0, 0, time.UTC)},
			Message:   "Deployment/apps/webapp status: 'Failed' <timeout 5m0s>\nsecond line",
			Reason:    "HealthCheckFailed",
			Metadata: map[string]string{
				"cluster":  "prod-eu-1",
				"revision": "main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1",
				"summary":  "payments stack",
			},
			ReportingController: "kustomize-controller",
			ReportingInstance:   "kustomize-controller-7c7b47f5f-8bhrp",
		},
		Alert:    provider.Object{Namespace: "apps", Name: "on-call", UID: "c1a2b3d4-0000-4e5f-9a8b-7c6d5e4f3a2b"},
		Provider: provider.Object{Namespace: "apps", Name: "prov", UID: "4a8b6c1e-9f03-4d52-8f2b-0d9e7a5c3b21"},
	}
}

// InfoNotification returns the reference notification of a success, of the same object.
func InfoNotification() *provider.Notification {
	n := Notification()
	n.Event.Severity = "info"
	n.Event.Reason = "ReconciliationSucceeded"
	n.Event.Message = "Reconciliation finished in 1.2s, next run in 10m0s"
	return n
}

// BareNotification returns a notification that lacks what it may lack: metadata and a reason. It is neither a failure
// nor, strictly, a success: its severity is trace.
func BareNotification() *provider.Notification {
	n := Notification()
	n.Event.Severity = "trace"
	n.Event.Reason = ""
	n.Event.Message = "🚨 naïve <b>*emoji*</b> & _markup_"
	n.Event.Metadata = nil
	return n
}

// LongNotification returns the notification of a failure of which everything is long: the message has 12,000
// characters, of several bytes, and metadata values have 2,000.
func LongNotification() *provider.Notification {
	n := Notification()
	n.Event.InvolvedObject.Name = strings.Repeat("webapp-", 36) + "x"
	n.Event.Message = strings.Repeat("🚨 é\n", 3000)
	for _, key := range []string{"long-1", "long-2", "long-3", "long-4", "long-5"} {
		n.Event.Metadata[key] = strings.Repeat("é🚨", 1000)
	}
	return n
}

func sendNotification(t *testing.T, sender provider.Sender, n *provider.Notification) error {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), timeout)
	defer cancel()
	return sender.Send(ctx, n)
}
