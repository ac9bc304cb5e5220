package controller

import (
	"errors"
	"math"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	"k8s.io/utils/lru"
)

const (
	// eventBurst is how many Kubernetes Events about an object are written at once for the same reason, before there is
	// only one in each eventInterval. From the eleventh text on, client-go writes all of a reason into one Event.
	eventBurst    = 10
	eventInterval = time.Minute
	// maxEventKeys is how many objects and reasons are remembered, about 300 bytes each; one that is forgotten starts anew.
	maxEventKeys = 10_000
	// maxEventMessage is how long the message of a Kubernetes Event can be, in bytes, before the API server refuses it.
	maxEventMessage = 1024
)

// NewBroadcaster returns a broadcaster of Kubernetes Events that aggregates them but refuses none: that is done by
// [LimitEvents], before they take a place in its queue. client-go's own limit comes after the queue, and counts all reasons
// of an object together.
func NewBroadcaster() record.EventBroadcaster {
	return record.NewBroadcaster(record.WithCorrelatorOptions(record.CorrelatorOptions{BurstSize: math.MaxInt32, LRUCacheSize: maxEventKeys}))
}

// LimitEvents returns a recorder that drops what an object has too many of. So the failures of one neither fill the queue
// of the broadcaster, which drops what comes last, nor hide what else there is to say about it.
func LimitEvents(recorder record.EventRecorder) record.EventRecorder {
	return &limitedEvents{recorder: recorder, limiters: lru.New(maxEventKeys)}
}

type limitedEvents struct {
	recorder record.EventRecorder

	mu       sync.Mutex
	limiters *lru.Cache
}

// Event implements [record.EventRecorder].
func (l *limitedEvents) Event(object runtime.Object, eventType, reason, message string) {
	if l.allow(object, eventType, reason) {
		l.recorder.Event(object, eventType, reason, message)
	}
}

// Eventf implements [record.EventRecorder].
func (l *limitedEvents) Eventf(object runtime.Object, eventType, reason, format string, args ...any) {
	if l.allow(object, eventType, reason) {
		l.recorder.Eventf(object, eventType, reason, format, args...)
	}
}

// AnnotatedEventf implements [record.EventRecorder].
func (l *limitedEvents) AnnotatedEventf(object runtime.Object, annotations map[string]string, eventType, reason, format string, args ...any) {
	if l.allow(object, eventType, reason) {
		l.recorder.AnnotatedEventf(object, annotations, eventType, reason, format, args...)
	}
}

func (l *limitedEvents) allow(object runtime.Object, eventType, reason string) bool {
	key := strings.Join([]string{eventSubject(object), eventType, reason}, "/")
	l.mu.Lock()
	defer l.mu.Unlock()
	limiter, ok := l.limiters.Get(key)
	if !ok {
		limiter = rate.NewLimiter(rate.Every(eventInterval), eventBurst)
		l.limiters.Add(key, limiter)
	}
	return limiter.(*rate.Limiter).Allow()
}

// eventSubject tells the objects apart that Events are about. Not all of them have a UID.
func eventSubject(object runtime.Object) string {
	if ref, ok := object.(*corev1.ObjectReference); ok {
		return strings.Join([]string{ref.Namespace, ref.Name, string(ref.UID)}, "/")
	}
	m, err := meta.Accessor(object)
	if err != nil {
		return "" // Then the recorder cannot use it either.
	}
	return strings.Join([]string{m.GetNamespace(), m.GetName(), string(m.GetUID())}, "/")
}

// EventMessage cuts a text to what a Kubernetes Event takes.
func EventMessage(text string) string { return Cut(text, maxEventMessage) }

// MaxLogged is how many bytes of a text a line of the log has that can be of any length, as an error can that quotes an
// object or a service: as many as a Kubernetes Event takes.
const MaxLogged = maxEventMessage

// CutError returns err if its text has at most limit bytes, and else an error with that text shortened, in which nothing is
// wrapped.
func CutError(err error, limit int) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if len(text) <= limit {
		return err
	}
	return errors.New(Cut(text, limit))
}

// Cut shortens a text to at most limit bytes.
func Cut(text string, limit int) string {
	const more = "…"
	if len(text) <= limit {
		return text
	}
	return strings.ToValidUTF8(text[:limit-len(more)], "") + more
}
