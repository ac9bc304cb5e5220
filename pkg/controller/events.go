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
	// namespaceBurst is how many of a type, Normal or Warning, are written at once about all objects of a namespace, before
	// there are only namespaceRate in a second. The queue of the broadcaster has room for 1,000: one namespace is not to fill it.
	namespaceBurst = 200
	namespaceRate  = 2
	// maxEventNamespaces is how many namespaces and types are remembered, likewise.
	maxEventNamespaces = 10_000
	// maxEventMessage is how long the message of a Kubernetes Event can be, in bytes, before the API server refuses it.
	maxEventMessage = 1024
)

// NewBroadcaster returns a broadcaster of Kubernetes Events that aggregates them but refuses none: that is done by
// [LimitEvents], before they take a place in its queue. client-go's own limit comes after the queue, and counts all reasons
// of an object together.
func NewBroadcaster() record.EventBroadcaster {
	return record.NewBroadcaster(record.WithCorrelatorOptions(record.CorrelatorOptions{BurstSize: math.MaxInt32, LRUCacheSize: maxEventKeys}))
}

// LimitEvents returns a recorder that drops what an object, or a namespace, has too many of; nothing tells of that. So the
// failures of one neither fill the queue of the broadcaster, which drops what comes last, nor hide what else there is to say
// about it. Nor does a namespace with more objects than are remembered, of which each could have its burst for ever.
func LimitEvents(recorder record.EventRecorder) record.EventRecorder {
	return &limitedEvents{recorder: recorder, objects: lru.New(maxEventKeys), namespaces: lru.New(maxEventNamespaces)}
}

type limitedEvents struct {
	recorder record.EventRecorder

	mu sync.Mutex
	// objects has a limiter for each object, type and reason, namespaces one for each namespace and type.
	objects, namespaces *lru.Cache
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

// allow asks the namespace first, so that one that has had its share does not push the objects of others out of the memory,
// but takes of its share only what the object's own limit lets through: one that fails all the time hides no other.
func (l *limitedEvents) allow(object runtime.Object, eventType, reason string) bool {
	namespace, subject := eventSubject(object)
	l.mu.Lock()
	defer l.mu.Unlock()
	all := limiter(l.namespaces, namespace+"/"+eventType, namespaceRate, namespaceBurst)
	if all.Tokens() < 1 {
		return false
	}
	own := limiter(l.objects, strings.Join([]string{subject, eventType, reason}, "/"), rate.Every(eventInterval), eventBurst)
	return own.Allow() && all.Allow()
}

// limiter returns the one of a key, which is a new one if there is none.
func limiter(limiters *lru.Cache, key string, limit rate.Limit, burst int) *rate.Limiter {
	if found, ok := limiters.Get(key); ok {
		return found.(*rate.Limiter)
	}
	made := rate.NewLimiter(limit, burst)
	limiters.Add(key, made)
	return made
}

// eventSubject is the namespace of the object that Events are about, and what tells it from others. Not all of them have a UID.
func eventSubject(object runtime.Object) (namespace, subject string) {
	if ref, ok := object.(*corev1.ObjectReference); ok {
		return ref.Namespace, strings.Join([]string{ref.Namespace, ref.Name, string(ref.UID)}, "/")
	}
	m, err := meta.Accessor(object)
	if err != nil {
		return "", "" // Then the recorder cannot use it either.
	}
	return m.GetNamespace(), strings.Join([]string{m.GetNamespace(), m.GetName(), string(m.GetUID())}, "/")
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
