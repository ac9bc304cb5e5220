package dispatch

import (
	"hash/maphash"
	"slices"
	"strconv"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/utils/lru"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// maxReasons is how many reasons are remembered of an object; controllers have some ten in all.
const maxReasons = 16

// Repeats holds back what an Alert with spec.repeatInterval has told already: of one object, reason and severity it
// tells once in that time, whatever the messages say. A change of the object's severity, revision or change request is
// always told, and all is news after it. A nil *Repeats holds nothing back. It is safe for concurrent use.
//
// It is a [Recorder], too: what was told but not delivered can be told again.
type Repeats struct {
	Recorders

	now  func() time.Time
	seed maphash.Seed

	mu   sync.Mutex
	told *lru.Cache
	// objects are those in told, by Alert.
	objects map[types.UID]map[uint64]struct{}
}

type repeatKey struct {
	alert  types.UID
	object uint64
}

// told is what an Alert has told last of an object. It holds hashes, which have the same size whatever events say.
type told struct {
	severity  uint64
	revisions revisions
	reasons   []toldReason
	// suppressed is how many notifications have been held back since, and those that could not be told of.
	suppressed int
}

// revisions are hashes of what an event is about, each 0 if it does not say: a chart of the same version may come from
// another commit.
type revisions [4]uint64

type toldReason struct {
	reason uint64
	at     time.Time
}

// NewRepeats returns Repeats that remember at most limit pairs of an Alert and an object, some 300 bytes each. Beyond
// that they forget those that had no event for longest: what comes next of these is told.
func NewRepeats(limit int, now func() time.Time) *Repeats {
	r := &Repeats{now: now, seed: maphash.MakeSeed(), objects: map[types.UID]map[uint64]struct{}{}}
	r.told = lru.NewWithEvictionFunc(limit, func(key lru.Key, _ any) { r.evicted(key.(repeatKey)) })
	return r
}

// Pass says whether a notification is to be sent, and adds to its metadata how many before it were not.
func (r *Repeats) Pass(n *provider.Notification, a *v1beta3.Alert) bool {
	if r == nil || a.Spec.RepeatInterval == nil || a.Spec.RepeatInterval.Duration <= 0 {
		return true
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	last := r.of(r.key(a.UID, n.Event.InvolvedObject))
	if !last.tell(r.hash(n.Event.Severity), r.revisions(n.Event.Metadata), r.hash(n.Event.Reason), r.now(), a.Spec.RepeatInterval.Duration) {
		last.suppressed++
		return false
	}
	if n.Suppressed, last.suppressed = last.suppressed, 0; n.Suppressed > 0 {
		n.SetMetadata(event.KeySuppressed, strconv.Itoa(n.Suppressed))
	}
	return true
}

// tell says whether an event is news, and remembers it if so.
func (t *told) tell(severity uint64, about revisions, reason uint64, now time.Time, interval time.Duration) bool {
	if t.revisions.update(about) || severity != t.severity {
		t.reasons = nil
	}
	t.severity = severity
	i := slices.IndexFunc(t.reasons, func(r toldReason) bool { return r.reason == reason })
	if i >= 0 {
		if now.Sub(t.reasons[i].at) < interval {
			return false
		}
		t.reasons = slices.Delete(t.reasons, i, i+1)
	}
	// In order of time: the first one has to go.
	if len(t.reasons) == maxReasons {
		t.reasons = slices.Delete(t.reasons, 0, 1)
	}
	t.reasons = append(t.reasons, toldReason{reason, now})
	return true
}

// update takes over what an event says, and says whether any of it is another. An event that does not say is about what
// there is.
func (r *revisions) update(about revisions) bool {
	other := false
	for i, revision := range about {
		if revision != 0 {
			other = other || r[i] != 0 && r[i] != revision
			r[i] = revision
		}
	}
	return other
}

// of returns what has been told, which the caller changes.
func (r *Repeats) of(key repeatKey) *told {
	if found, ok := r.told.Get(key); ok {
		return found.(*told)
	}
	last := &told{}
	r.told.Add(key, last)
	if r.objects[key.alert] == nil {
		r.objects[key.alert] = map[uint64]struct{}{}
	}
	r.objects[key.alert][key.object] = struct{}{}
	return last
}

func (r *Repeats) evicted(key repeatKey) {
	delete(r.objects[key.alert], key.object)
	if len(r.objects[key.alert]) == 0 {
		delete(r.objects, key.alert)
	}
}

func (r *Repeats) key(alert types.UID, o event.ObjectReference) repeatKey {
	return repeatKey{alert, maphash.Comparable(r.seed, [...]string{o.Kind, o.Namespace, o.Name})}
}

func (r *Repeats) revisions(metadata map[string]string) (about revisions) {
	for i, key := range [len(about)]string{event.KeyRevision, event.KeyOriginRevision, event.KeyCommit, event.KeyChangeRequest} {
		about[i] = r.hash(metadata[key])
	}
	return about
}

// hash is 0 for nothing.
func (r *Repeats) hash(text string) uint64 {
	if text == "" {
		return 0
	}
	return maphash.String(r.seed, text)
}

// Drop forgets an Alert that is gone.
func (r *Repeats) Drop(alert types.UID) {
	if r == nil {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for object := range r.objects[alert] {
		r.told.Remove(repeatKey{alert, object})
	}
}

// Outcome implements [Recorder].
func (r *Repeats) Outcome(o Outcome) {
	// A Provider may have been suspended while the notification waited. One that was not queued has not been told of here.
	suspended := o.Result == Skipped && o.Reason == SkippedSuspended && o.Queued
	if o.Result != Failed && o.Result != Dropped && !suspended {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if found, ok := r.told.Get(r.key(types.UID(o.Alert.UID), o.Object)); ok {
		last := found.(*told)
		last.reasons = nil
		last.suppressed += o.Suppressed
	}
}
