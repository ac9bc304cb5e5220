package app

import (
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	deliverycontroller "github.com/notification-controller/notification-controller/pkg/controller/delivery"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
)

// statusRecorder has the status of Alerts and Providers tell how notifications end.
type statusRecorder struct {
	status *deliverycontroller.Controller
}

var _ dispatch.Recorder = statusRecorder{}

// Outcome implements [dispatch.Recorder]. What was skipped tells nothing about whether it works.
func (r statusRecorder) Outcome(o dispatch.Outcome) {
	if o.Result == dispatch.Skipped {
		return
	}
	r.status.Record(deliverycontroller.Outcome{
		Time: time.Now(), Result: string(o.Result), Reason: string(o.Reason), Error: o.Explain(),
		Object: o.Object, Alert: o.Alert, Provider: o.Provider,
	})
}

// Event implements [dispatch.Recorder].
func (statusRecorder) Event(dispatch.EventVerdict) {}

// Attempt implements [dispatch.Recorder].
func (statusRecorder) Attempt(dispatch.Attempt) {}

// Problem implements [dispatch.Recorder].
func (statusRecorder) Problem(*v1beta3.Alert, string, error) {}

// MetadataConflict implements [dispatch.Recorder].
func (statusRecorder) MetadataConflict(*v1beta3.Alert, event.ObjectReference, map[string]string) {}
