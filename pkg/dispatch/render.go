package dispatch

import (
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Render makes the notification that an Alert sends for an event, and reports metadata keys that several sources
// claim.
func (r *Router) Render(e *event.Event, a *v1beta3.Alert, p *v1beta3.Provider) *provider.Notification {
	n, conflicts := render(e, a, p)
	if len(conflicts) > 0 {
		r.Record.MetadataConflict(a, e.InvolvedObject, conflicts)
	}
	return n
}

// render copies the event and merges the Alert's metadata into the copy, which no other Alert shares.
func render(e *event.Event, a *v1beta3.Alert, p *v1beta3.Provider) (*provider.Notification, map[string]string) {
	n := &provider.Notification{Event: *e, Alert: alertObject(a), Provider: providerObject(p)}
	var conflicts map[string]string
	n.Event.Metadata, conflicts = event.Merge(e, a.Spec.EventMetadata, a.Spec.Summary)
	return n, conflicts
}
