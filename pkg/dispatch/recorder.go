package dispatch

import (
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Recorder is told of everything that happens to events and notifications. Its methods are called on the way of an
// event, by many goroutines at a time: they do not wait for anything.
type Recorder interface {
	// Event is called once for each request to the event server, before its notifications are queued.
	Event(EventVerdict)
	// Attempt is called after each attempt to send a notification.
	Attempt(Attempt)
	// Outcome is called once for each notification.
	Outcome(Outcome)
	// Problem is called when an Alert could not be asked. The Alert is nil if it is not the fault of one.
	Problem(a *v1beta3.Alert, reason string, err error)
	// MetadataConflict is called when several sources claim a metadata key.
	MetadataConflict(a *v1beta3.Alert, object event.ObjectReference, conflicts map[string]string)
}

// EventResult is what became of a request to the event server. The set is closed, since it is the value of a metric
// label.
type EventResult string

// Results of events.
const (
	// Accepted events have been matched with the Alerts.
	Accepted EventResult = "accepted"
	// Repeated events have been accepted before, within the window of --rate-limit-interval.
	Repeated EventResult = "repeated"
	// Invalid requests are no events.
	Invalid EventResult = "invalid"
	// Unreadable requests are longer than what is read, ended early, or came while too many were under way.
	Unreadable EventResult = "unreadable"
	// NotReady is said before the caches are synced and during shutdown.
	NotReady EventResult = "not_ready"
)

// EventVerdict is what became of a request to the event server.
type EventVerdict struct {
	Result EventResult
	// Event is nil if it could not be read. It is shared: do not change it.
	Event *event.Event
	// Judgements of an accepted event are those of the Alerts that may select its object; all others do not name it.
	Judgements []Judgement
	// Err is why a request is invalid.
	Err error
}

// Matches is how many Alerts select the event.
func (v EventVerdict) Matches() int {
	matches := 0
	for _, judgement := range v.Judgements {
		if judgement.Verdict == Matched {
			matches++
		}
	}
	return matches
}

// Attempt is one try to send a notification.
type Attempt struct {
	EventID         string
	Object          event.ObjectReference
	Alert, Provider provider.Object
	// Type is the Provider's type.
	Type string
	// Number is 1 for the first attempt.
	Number int
	Took   time.Duration
	// Err is why it failed, its secrets masked.
	Err error
}

// Recorders tells several recorders. Those who record only some of what happens embed none at all.
type Recorders []Recorder

// Event implements [Recorder].
func (r Recorders) Event(v EventVerdict) {
	for _, recorder := range r {
		recorder.Event(v)
	}
}

// Attempt implements [Recorder].
func (r Recorders) Attempt(a Attempt) {
	for _, recorder := range r {
		recorder.Attempt(a)
	}
}

// Outcome implements [Recorder].
func (r Recorders) Outcome(o Outcome) {
	for _, recorder := range r {
		recorder.Outcome(o)
	}
}

// Problem implements [Recorder].
func (r Recorders) Problem(a *v1beta3.Alert, reason string, err error) {
	for _, recorder := range r {
		recorder.Problem(a, reason, err)
	}
}

// MetadataConflict implements [Recorder].
func (r Recorders) MetadataConflict(a *v1beta3.Alert, object event.ObjectReference, conflicts map[string]string) {
	for _, recorder := range r {
		recorder.MetadataConflict(a, object, conflicts)
	}
}
