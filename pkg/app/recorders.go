package app

import (
	"time"

	deliverycontroller "github.com/notification-controller/notification-controller/pkg/controller/delivery"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
)

// statusRecorder has the status of Alerts and Providers tell how notifications end.
type statusRecorder struct {
	dispatch.Recorders

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
