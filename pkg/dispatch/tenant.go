package dispatch

import (
	"strings"
	"time"
)

// runningShare is the part of the memory for what waits that the notifications under way of one namespace may take besides:
// a quarter. Their number is bounded for each Provider only, of which a tenant can have any number.
const runningShare = 4

// tenant is what waits and runs for the Providers of a namespace. Where there is too much in all, that with most has to
// make room: its Providers are its own affair. Its fields are guarded by the queue's mutex.
type tenant struct {
	namespace string
	lanes     int
	// longest and largest have the lane first that has most notifications, or most bytes of them.
	longest, largest laneHeap
	// waiting is how many notifications wait, bytes how much memory they take.
	waiting, bytes int
	// running is how much memory those under way take.
	running int
	// blocked are the lanes that wait for the others to leave room, in the order in which they came.
	blocked []*lane
}

// tenant returns that of a namespace.
func (q *Queue) tenant(namespace string) *tenant {
	t := q.tenants[namespace]
	if t == nil {
		t = &tenant{
			namespace: namespace,
			longest:   laneHeap{which: byLength, most: (*lane).len},
			largest:   laneHeap{which: bySize, most: (*lane).size},
		}
		q.tenants[namespace] = t
	}
	return t
}

func (t *tenant) add(l *lane) {
	t.lanes++
	t.longest.add(l)
	t.largest.add(l)
}

func (t *tenant) takeOut(l *lane) {
	t.lanes--
	t.longest.takeOut(l)
	t.largest.takeOut(l)
}

// count is told of deliveries that wait, or do not any more.
func (t *tenant) count(l *lane, waiting, bytes int) {
	t.waiting += waiting
	t.bytes += bytes
	t.longest.changed(l)
	t.largest.changed(l)
}

// first returns the tenant that has most of something. That is looked for only where a bound is met, and takes as long as
// there are namespaces with Providers that have something to do.
func (q *Queue) first(most func(*tenant) int) *tenant {
	var found *tenant
	for _, t := range q.tenants {
		if found == nil || most(t) > most(found) || most(t) == most(found) && strings.Compare(t.namespace, found.namespace) < 0 {
			found = t
		}
	}
	return found
}

// longestLane is the longest one of the namespace for which most notifications wait.
func (q *Queue) longestLane() *lane {
	return q.first(func(t *tenant) int { return t.waiting }).longest.first()
}

// largestLane is the same by bytes.
func (q *Queue) largestLane() *lane {
	return q.first(func(t *tenant) int { return t.bytes }).largest.first()
}

// roomFor says whether a delivery may be under way beside the others of its namespace. One alone always may.
func (q *Queue) roomFor(t *tenant, d *delivery) bool {
	return t.running == 0 || t.running+d.size <= q.options.TotalBytes/runningShare
}

// admit says whether the next delivery of a lane may start. If not, [Queue.unblock] starts it when there is room.
func (q *Queue) admit(l *lane, d *delivery) bool {
	t := l.tenant
	if len(t.blocked) == 0 && q.roomFor(t, d) {
		return true
	}
	if !l.blocked {
		l.blocked = true
		t.blocked = append(t.blocked, l)
	}
	return false
}

// unblock is called when the namespace has less under way than before.
func (q *Queue) unblock(t *tenant) {
	for len(t.blocked) > 0 {
		l := t.blocked[0]
		i, _ := l.next(time.Now())
		if i >= 0 && !q.roomFor(t, l.entries[i]) {
			return
		}
		t.blocked[0] = nil
		t.blocked = t.blocked[1:]
		l.blocked = false
		if i >= 0 {
			l.workers++
			go q.work(l, q.take(l, i))
		}
		q.startWorkers(l)
	}
}
