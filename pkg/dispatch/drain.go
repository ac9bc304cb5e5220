package dispatch

import (
	"context"
	"fmt"
	"time"
)

// drainGrace is how long attempts may take to end when they have been given up. Senders that heed their context take
// no time.
const drainGrace = time.Second

// retire forgets a lane in which nothing waits or runs, and tells Drain if it was the last.
func (q *Queue) retire(l *lane) {
	if l.len() == 0 && l.workers == 0 {
		l.stopTimer()
		delete(q.lanes, l.provider.UID)
		if l.tenant.takeOut(l); l.tenant.lanes == 0 {
			delete(q.tenants, l.tenant.namespace)
		}
	}
	if q.closed && q.waiting == 0 && len(q.running) == 0 {
		select {
		case <-q.idle:
		default:
			close(q.idle)
		}
	}
}

// Drain takes nothing more, sends what waits until ctx ends, and then records the rest as failed: what waits at once,
// and what is under way as it ends, or after drainGrace. It returns how many that were.
func (q *Queue) Drain(ctx context.Context) int {
	q.mu.Lock()
	q.closed = true
	if q.waiting == 0 && len(q.running) == 0 {
		q.mu.Unlock()
		q.giveUp()
		return 0
	}
	q.mu.Unlock()

	select {
	case <-q.idle:
		q.giveUp()
		return 0
	case <-ctx.Done():
	}
	lost := q.abandon()
	select {
	case <-q.idle:
	case <-time.After(drainGrace):
		q.disown()
	}
	return lost
}

// abandon ends all attempts and records everything that waits as failed. It returns how many notifications were lost.
func (q *Queue) abandon() int {
	q.mu.Lock()
	q.giveUp()
	lost := q.waiting + len(q.running)
	var rest []*delivery
	for _, l := range q.lanes {
		for l.len() > 0 {
			rest = append(rest, q.remove(l, 0))
		}
		q.retire(l)
	}
	q.mu.Unlock()
	for _, d := range rest {
		q.record.Outcome(d.outcome().failed(ReasonShutdown, errShutdown))
	}
	return lost
}

// disown records what is still under way as failed, in place of senders that do not end.
func (q *Queue) disown() {
	q.mu.Lock()
	var rest []*delivery
	for d := range q.running {
		if !d.recorded {
			d.recorded = true
			rest = append(rest, d)
		}
	}
	q.mu.Unlock()
	for _, d := range rest {
		q.record.Outcome(d.outcome().failed(ReasonShutdown, fmt.Errorf("%w: the attempt does not end", errShutdown)))
	}
}

// claim says whether the outcome of a delivery under way is the caller's to record.
func (q *Queue) claim(d *delivery) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	first := !d.recorded
	d.recorded = true
	return first
}
