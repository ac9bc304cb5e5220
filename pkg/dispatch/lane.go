package dispatch

import (
	"errors"
	"sort"
	"sync/atomic"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// errShutdown is why a notification was not sent when the process ended before it could be.
var errShutdown = errors.New("the controller was shut down before it could be sent")

// delivery is a notification on its way.
type delivery struct {
	notification *provider.Notification
	providerType string
	orderingKey  string
	size         int
	seq          uint64
	accepted     time.Time
	// attempts is how often it was sent. Drain reads it while the attempt runs.
	attempts atomic.Int32
	// failures is how often sending it, or finding its sender, was in vain.
	failures int
	// notBefore is the earliest time of the next attempt.
	notBefore time.Time
	// recorded says that its outcome is being told, or has been. It is guarded by the queue's mutex.
	recorded bool
}

func (d *delivery) outcome() Outcome {
	n := d.notification
	return Outcome{
		EventID: n.Event.ID, Object: n.Event.InvolvedObject, Alert: n.Alert, Provider: n.Provider,
		Type: d.providerType, Queued: true, Attempts: int(d.attempts.Load()), Suppressed: n.Suppressed, Age: time.Since(d.accepted),
	}
}

// attempt is the last one.
func (d *delivery) attempt(took time.Duration, err error) Attempt {
	n := d.notification
	return Attempt{
		EventID: n.Event.ID, Object: n.Event.InvolvedObject, Alert: n.Alert, Provider: n.Provider,
		Type: d.providerType, Number: int(d.attempts.Load()), Took: took, Err: err,
	}
}

// lane holds what waits for one Provider, in order of acceptance. Its fields are guarded by the queue's mutex.
type lane struct {
	provider provider.Object
	// tenant is that of the Provider's namespace.
	tenant *tenant
	// places are where the lane is in the tenant's heaps.
	places [heaps]int
	// blocked says that the lane waits for room in the tenant.
	blocked bool
	entries []*delivery
	// bytes is how much memory they take.
	bytes   int
	workers int
	// inFlight are the ordering keys of the deliveries under way.
	inFlight map[string]bool
	// pausedUntil is when the service takes notifications again.
	pausedUntil time.Time
	// timer starts a worker when the next delivery is due.
	timer *time.Timer
}

func (l *lane) len() int { return len(l.entries) }

func (l *lane) size() int { return l.bytes }

func (l *lane) backlog() Backlog {
	b := Backlog{Provider: l.provider, Waiting: l.len(), Running: l.workers, PausedUntil: l.pausedUntil}
	if l.len() > 0 {
		b.Oldest = l.entries[0].accepted
	}
	return b
}

// insert puts a delivery in its place by order of acceptance: at the end, but for one that is tried again.
func (l *lane) insert(d *delivery) {
	i := len(l.entries)
	if i > 0 && l.entries[i-1].seq > d.seq {
		i = sort.Search(len(l.entries), func(i int) bool { return l.entries[i].seq > d.seq })
	}
	l.entries = append(l.entries, nil)
	copy(l.entries[i+1:], l.entries[i:])
	l.entries[i] = d
}

// remove takes the i-th delivery out.
func (l *lane) remove(i int) *delivery {
	d := l.entries[i]
	if i == 0 {
		l.entries[0] = nil
		l.entries = l.entries[1:]
		return d
	}
	copy(l.entries[i:], l.entries[i+1:])
	l.entries[len(l.entries)-1] = nil
	l.entries = l.entries[:len(l.entries)-1]
	return d
}

// next returns the place of the first delivery that may start now, or -1 and when to ask again; a zero time means:
// when something changes.
func (l *lane) next(now time.Time) (i int, again time.Time) {
	if now.Before(l.pausedUntil) {
		return -1, l.pausedUntil
	}
	// A delivery that waits for its next attempt holds back the later ones with its key.
	var held map[string]bool
	for i, d := range l.entries {
		if d.orderingKey != "" && (l.inFlight[d.orderingKey] || held[d.orderingKey]) {
			continue
		}
		if !d.notBefore.After(now) {
			return i, time.Time{}
		}
		if again.IsZero() || d.notBefore.Before(again) {
			again = d.notBefore
		}
		if d.orderingKey != "" {
			if held == nil {
				held = map[string]bool{}
			}
			held[d.orderingKey] = true
		}
	}
	return -1, again
}

// wakeAt has wake called at the given time, and not at an earlier given one.
func (l *lane) wakeAt(at time.Time, wake func()) {
	l.stopTimer()
	if !at.IsZero() {
		l.timer = time.AfterFunc(time.Until(at), wake)
	}
}

func (l *lane) stopTimer() {
	if l.timer != nil {
		l.timer.Stop()
		l.timer = nil
	}
}
