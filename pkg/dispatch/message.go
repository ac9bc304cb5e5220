package dispatch

import (
	"fmt"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/message"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// rewrite puts the text of spec.message in the place of the message. The message stays as it is where a template is
// broken, which has been reported on the Alert by its controller, or fails, which is reported once for each edit.
func (r *Router) rewrite(n *provider.Notification, a *v1beta3.Alert) {
	if a.Spec.Message == "" {
		return
	}
	template := r.Compiled(a).message
	if template == nil {
		return
	}
	text, err := template.Execute(messageData(n))
	if err == nil {
		n.Event.Message = text
	} else if template.FirstFailure() {
		r.Record.Problem(a, ReasonMessageFailed, fmt.Errorf("the notification for %s has the event's own message: %w", n.Event.InvolvedObject, err))
	}
}

// messageData is a notification as templates see it.
func messageData(n *provider.Notification) message.Data {
	e := &n.Event
	o := e.InvolvedObject
	d := message.Data{
		Severity: e.Severity, Reason: e.Reason, Message: e.Message,
		InvolvedObject:      message.Object{Kind: o.Kind, Namespace: o.Namespace, Name: o.Name, APIVersion: o.APIVersion},
		Metadata:            e.Metadata,
		ReportingController: e.ReportingController,
		Alert:               n.Alert.String(),
		Cluster:             e.Metadata[event.KeyCluster],
	}
	if !e.Timestamp.IsZero() {
		d.Timestamp = e.Timestamp.UTC().Format(time.RFC3339)
	}
	return d
}
