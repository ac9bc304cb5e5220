package dispatch

import (
	"context"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Render makes the notification that an Alert sends for an event, and reports metadata keys that several sources
// claim. It returns false, and has recorded why, if there is nothing to send.
func (r *Router) Render(ctx context.Context, e *event.Event, a *v1beta3.Alert, p *v1beta3.Provider, row provider.Type) (*provider.Notification, bool) {
	n, conflicts := render(e, a, p)
	if _, said := n.Event.Metadata[event.KeyCluster]; !said && r.Cluster != "" {
		n.SetMetadata(event.KeyCluster, r.Cluster)
	}
	if len(conflicts) > 0 {
		r.Record.MetadataConflict(a, e.InvolvedObject, conflicts)
	}
	if row.Skips(n, p.Annotations[notification.ResolveAnnotation] == notification.ResolveEnabled) {
		r.Record.Outcome(outcome(n, row).skipped(SkippedByType))
		return nil, false
	}
	// What the type does not send has not been told.
	if !r.Repeats.Pass(n, a) {
		r.Record.Outcome(outcome(n, row).skipped(SkippedRepeat))
		return nil, false
	}
	if row.Family == provider.FamilyCommitStatus {
		var err error
		if n.StatusID, err = r.StatusIDs.ID(ctx, &n.Event, a, p); err != nil {
			r.Record.Outcome(outcome(n, row).failed(provider.ReasonConfig, err))
			return nil, false
		}
	}
	// Last, since everything before is about what has happened, however it is told.
	r.rewrite(n, a)
	return n, true
}

// render copies the event and merges the Alert's metadata into the copy, which no other Alert shares.
func render(e *event.Event, a *v1beta3.Alert, p *v1beta3.Provider) (*provider.Notification, map[string]string) {
	n := &provider.Notification{Event: *e, Alert: alertObject(a), Provider: providerObject(p)}
	var conflicts map[string]string
	n.Event.Metadata, conflicts = event.Merge(e, a.Spec.EventMetadata, a.Spec.Summary)
	return n, conflicts
}
