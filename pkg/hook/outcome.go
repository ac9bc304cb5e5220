package hook

import (
	"fmt"
	"math"
	"net/http"
	"strconv"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/controller"
)

// Outcomes of calls, as metrics name them.
const (
	Accepted       = "accepted"
	NothingMatched = "nothing_matched"
	Suspended      = "suspended"
	EventIgnored   = "event_ignored"
	Duplicate      = "duplicate"
	RateLimited    = "rate_limited"
	BadRequest     = "bad_request"
	NotAuthentic   = "not_authentic"
	UnknownPath    = "unknown_path"
	TooLarge       = "too_large"
	Failed         = "failed"
	NotReady       = "not_ready"
)

// Outcomes of annotations, as metrics name them.
const (
	// Written means that the API server took the annotation.
	Written = "written"
	// Gone means that the object does not exist any more.
	Gone = "gone"
	// NotWritten means that it will be tried again.
	NotWritten = "not_written"
)

// UnknownType stands for the type of the Receiver where there is none.
const UnknownType = "unknown"

// Observer counts what happens. Its strings are from closed sets.
type Observer interface {
	// ObserveWebhook is called once for each call, with spec.type of the Receiver, or [UnknownType], and the outcome.
	ObserveWebhook(receiverType, outcome string)
	// ObservePreviousToken is called for each authentic call to a path of a previous token.
	ObservePreviousToken(receiverType string)
	// ObserveAnnotate is called for each attempt to write an annotation, with its outcome and how long it took.
	ObserveAnnotate(outcome string, took time.Duration)
}

// Call is how a webhook call to a Receiver ended.
type Call struct {
	Receiver types.NamespacedName
	UID      types.UID
	// Outcome is one of those above, Reason says it for people. It quotes neither the call nor the Secret.
	Outcome, Reason string
	At              time.Time
	Took            time.Duration
}

// notReadyWait is how long a caller is told to wait for what is not ready yet.
const notReadyWait = 5 * time.Second

// verdict ends a call.
type verdict struct {
	outcome string
	// text is for the caller; it quotes neither the call nor the Secret.
	text string
	// cause is for the log, and may be nil.
	cause error
	// wait is how long the caller is told to wait; 0 if it is not.
	wait time.Duration
}

// because returns a verdict whose cause is for the log only.
func because(outcome, text string, cause error) *verdict {
	return &verdict{outcome: outcome, text: text, cause: cause}
}

// notReady is what a caller is told for everything that time can heal.
func notReady(cause error) *verdict {
	return &verdict{outcome: NotReady, text: "not ready, try again later", cause: cause, wait: notReadyWait}
}

// status is the one mapping of outcomes to status codes. Senders disable hooks that fail, so that what is authentic but
// of no interest is a success.
func status(outcome string) int {
	switch outcome {
	case Accepted:
		return http.StatusAccepted
	case NothingMatched, Suspended, EventIgnored, Duplicate:
		return http.StatusOK
	case BadRequest:
		return http.StatusBadRequest
	case NotAuthentic:
		return http.StatusUnauthorized
	case UnknownPath:
		return http.StatusNotFound
	case TooLarge:
		return http.StatusRequestEntityTooLarge
	case RateLimited:
		return http.StatusTooManyRequests
	case NotReady:
		return http.StatusServiceUnavailable
	default:
		return http.StatusInternalServerError
	}
}

// reason is the verdict for people who look after the Receiver.
func (v *verdict) reason() string {
	if v.cause != nil {
		return v.cause.Error()
	}
	return v.text
}

// write answers the call.
func (v *verdict) write(w http.ResponseWriter) {
	header := w.Header()
	header.Set("Content-Type", "text/plain; charset=utf-8")
	header.Set("X-Content-Type-Options", "nosniff")
	if v.wait > 0 {
		header.Set("Retry-After", strconv.Itoa(int(math.Ceil(v.wait.Seconds()))))
	}
	w.WriteHeader(status(v.outcome))
	// The caller may be gone, which changes nothing.
	_, _ = fmt.Fprintln(w, v.text)
}

// ReasonRequestFailed is the reason of the Warnings on Receivers whose calls could not be carried out in full.
const ReasonRequestFailed = "ReconcileRequestFailed"

// warn puts a Warning on a Receiver.
func warn(events record.EventRecorder, receiver *v1.Receiver, message string) {
	events.Event(receiver, corev1.EventTypeWarning, ReasonRequestFailed, controller.EventMessage(message))
}
