package dispatch

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Reasons of the Kubernetes Events on Alerts.
const (
	ReasonDispatchFailed    = "NotificationDispatchFailed"
	ReasonInvalidConfig     = "InvalidConfig"
	ReasonSourceFetchFailed = "SourceFetchFailed"
	ReasonMetadataConflict  = "MetadataAppendFailed"
	ReasonFilterFailed      = "EventFilterFailed"
	ReasonMessageFailed     = "MessageFailed"
)

// Result is how a notification ended.
type Result string

// Results of notifications.
const (
	Sent    Result = "sent"
	Failed  Result = "failed"
	Dropped Result = "dropped"
	Skipped Result = "skipped"
)

// Reasons of failures and drops that are not a sender's.
const (
	ReasonExpired         provider.Reason = "expired"
	ReasonShutdown        provider.Reason = "shutdown"
	ReasonQueueFull       provider.Reason = "queue_full"
	ReasonProviderDeleted provider.Reason = "provider_deleted"
)

// SkipReason says why a notification was not to be sent. The set is closed, since it is the value of a metric label.
type SkipReason = provider.Reason

// Reasons of skips.
const (
	SkippedSuspended       SkipReason = "suspended"
	SkippedStatusUpdate    SkipReason = "commit_status_update"
	SkippedNoCommit        SkipReason = "no_commit"
	SkippedNoChangeRequest SkipReason = "no_change_request"
	SkippedByType          SkipReason = "nothing_to_send"
	SkippedRepeat          SkipReason = "repeat_interval"
)

// Outcome is how one notification ended.
type Outcome struct {
	Result  Result
	Reason  provider.Reason
	EventID string
	Object  event.ObjectReference
	Alert   provider.Object
	// Provider is without UID if it does not exist.
	Provider provider.Object
	// Type is the Provider's type; empty if the Provider or the type does not exist.
	Type string
	// Queued says that it was handed to the queue.
	Queued bool
	// Attempts is how often it was tried to send it.
	Attempts int
	// Suppressed is how many notifications were held back before it.
	Suppressed int
	// Age is the time since the event was accepted.
	Age time.Duration
	// Err is why it failed, its secrets masked.
	Err error
}

func (o Outcome) failed(reason provider.Reason, err error) Outcome {
	o.Result, o.Reason, o.Err = Failed, reason, err
	return o
}

func (o Outcome) skipped(why SkipReason) Outcome {
	o.Result, o.Reason = Skipped, why
	return o
}

// Metrics counts what is recorded.
type Metrics interface {
	ObserveEvent(result string, matches int)
	ObserveDelivery(providerType string, result, reason string, attempts int, age time.Duration)
	ObserveAttempt(providerType string, took time.Duration)
}

// unknownType is the metric label of notifications whose Provider, or its type, does not exist.
const unknownType = "unknown"

// EventRecorder is the [Recorder] of the product: metrics, log and Kubernetes Events.
type EventRecorder struct {
	Metrics Metrics
	Events  record.EventRecorder
	Log     klog.Logger

	mu sync.Mutex
	// logged are the problems that the log has told of.
	logged map[problem]struct{}
}

// maxLogged is how many problems are remembered, about 100 bytes each. Beyond that, all may be told of again.
const maxLogged = 10_000

// problem is what is wrong with an Alert until its next edit.
type problem struct {
	alert      types.UID
	generation int64
	reason     string
}

// Event implements [Recorder].
func (r *EventRecorder) Event(v EventVerdict) {
	r.Metrics.ObserveEvent(string(v.Result), v.Matches())
	switch v.Result {
	case Accepted:
		if log := r.Log.V(4); log.Enabled() {
			log.Info("Accepted an event", "event", v.Event.ID, "object", v.Event.InvolvedObject.String(),
				"severity", v.Event.Severity, "reason", v.Event.Reason, "alerts", v.Matches())
		}
	case Invalid:
		r.Log.Info("Refused an event", "err", v.Err.Error())
	}
}

// Attempt implements [Recorder].
func (r *EventRecorder) Attempt(a Attempt) { r.Metrics.ObserveAttempt(a.Type, a.Took) }

// Outcome implements [Recorder].
func (r *EventRecorder) Outcome(o Outcome) {
	r.Metrics.ObserveDelivery(cmp.Or(o.Type, unknownType), string(o.Result), string(o.Reason), o.Attempts, o.Age)
	level := r.Log
	if o.Result == Sent || o.Result == Skipped {
		// Most are: what is not written is not to cost anything.
		if level = r.Log.V(4); !level.Enabled() {
			return
		}
	}
	// The object and the Provider need not exist, and then have names of any length.
	log := level.WithValues("event", o.EventID, "object", cut(o.Object.String()), "alert", o.Alert.String(), "provider", cut(o.Provider.String()))
	cause := controller.CutError(o.Err, controller.MaxLogged)
	switch o.Result {
	case Sent:
		log.Info("Sent a notification", "attempts", o.Attempts, "age", o.Age)
	case Skipped:
		log.Info("Skipped a notification", "reason", o.Reason)
	case Failed:
		// Not "failed to dispatch" if it was tried: operators look for the difference.
		what := "dispatch"
		if o.Attempts > 0 {
			what = "send"
		}
		log.Error(cause, "Notification failed", "reason", o.Reason, "attempts", o.Attempts)
		r.warn(o, fmt.Sprintf("failed to %s notification for %s: %s", what, o.Object, o.Explain()))
	case Dropped:
		log.Error(cause, "Notification dropped", "reason", o.Reason)
		r.warn(o, fmt.Sprintf("dropped notification for %s: %s", o.Object, o.Explain()))
	}
}

// cut shortens a text for the log.
func cut(text string) string { return controller.Cut(text, controller.MaxLogged) }

func (r *EventRecorder) warn(o Outcome, message string) {
	r.Events.Event(alertReference(o.Alert), corev1.EventTypeWarning, ReasonDispatchFailed, controller.EventMessage(message))
}

// Problem implements [Recorder]. It can be the same with every event: the log tells of it once for each edit, and
// Kubernetes Events are limited themselves.
func (r *EventRecorder) Problem(a *v1beta3.Alert, reason string, err error) {
	if a == nil {
		r.Log.Error(controller.CutError(err, controller.MaxLogged), "Event could not be matched", "reason", reason)
		return
	}
	const text = "Alert could not be asked"
	if r.isNews(a, reason) {
		r.Log.Error(controller.CutError(err, controller.MaxLogged), text, "alert", klog.KObj(a), "reason", reason)
	} else if log := r.Log.V(4); log.Enabled() {
		log.Info(text, "alert", klog.KObj(a), "reason", reason, "err", cut(err.Error()))
	}
	r.Events.Event(a, corev1.EventTypeWarning, reason, controller.EventMessage(err.Error()))
}

// isNews says whether the log has not told of a problem since the Alert was edited.
func (r *EventRecorder) isNews(a *v1beta3.Alert, reason string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	p := problem{a.UID, a.Generation, reason}
	if _, known := r.logged[p]; known {
		return false
	}
	if r.logged == nil || len(r.logged) == maxLogged {
		r.logged = map[problem]struct{}{}
	}
	r.logged[p] = struct{}{}
	return true
}

const (
	// maxConflictKeys is how much of the keys in conflict is told of, in bytes: they may be long, and what to do comes
	// after them.
	maxConflictKeys = 500
	// maxConflictAnnotations is how many of them, the first, a Kubernetes Event has as annotations. There may be 1,000 Events
	// that wait to be written, and 1,000 keys in each are more than the API server takes.
	maxConflictAnnotations = 50
)

// MetadataConflict implements [Recorder]. The sources are said in annotations as far as the keys can be their names.
func (r *EventRecorder) MetadataConflict(a *v1beta3.Alert, object event.ObjectReference, conflicts map[string]string) {
	annotations := map[string]string{}
	sorted := event.SortedKeys(conflicts)
	for _, key := range sorted {
		if len(annotations) < maxConflictAnnotations && len(validation.IsQualifiedName(strings.ToLower(key))) == 0 {
			annotations[key] = conflicts[key]
		}
	}
	keys := controller.Cut(strings.Join(sorted, ", "), maxConflictKeys)
	log := r.Log
	if !r.isNews(a, ReasonMetadataConflict) {
		log = log.V(4)
	}
	log.Info("Metadata keys have several sources", "alert", klog.KObj(a), "object", cut(object.String()), "keys", keys)
	message := fmt.Sprintf("metadata keys of the notification for %s have several sources, the last one of which was used: %s; to choose, remove them from spec.eventMetadata or spec.summary, or from the annotations of the object", object, keys)
	r.Events.AnnotatedEventf(a, annotations, corev1.EventTypeWarning, ReasonMetadataConflict, "%s", controller.EventMessage(message))
}

// alertReference is enough of an Alert to put a Kubernetes Event on it.
func alertReference(a provider.Object) *corev1.ObjectReference {
	return &corev1.ObjectReference{
		APIVersion: v1beta3.SchemeGroupVersion.String(),
		Kind:       "Alert",
		Namespace:  a.Namespace,
		Name:       a.Name,
		UID:        types.UID(a.UID),
	}
}

// providerGone says that a notification lost its Provider while it waited.
func providerGone(p provider.Object) error {
	return fmt.Errorf("Provider '%s' was deleted", p)
}
