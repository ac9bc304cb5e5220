package dispatch

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

const (
	// maxRetries is how often a notification is tried again after the first attempt.
	maxRetries = 4
	// firstRetry is the wait before the first of them, doubling up to maxRetryWait.
	firstRetry   = 2 * time.Second
	maxRetryWait = 30 * time.Second
	// jitter lengthens a wait by up to this share, so that what failed together does not come back together.
	jitter = 0.2
	// maxPause is the longest time that a service can ask to be left alone.
	maxPause = 15 * time.Minute
)

// startWorkers has goroutines work on the lane, as long as there is something to do and there are not enough of them.
// Each ends when nothing may start; Drain waits for all. The mutex is held.
func (q *Queue) startWorkers(l *lane) {
	for l.workers < q.options.Workers {
		i, again := l.next(time.Now())
		if i < 0 {
			l.wakeAt(again, func() { q.wake(l) })
			return
		}
		if !q.admit(l, l.entries[i]) {
			return
		}
		l.workers++
		go q.work(l, q.take(l, i))
	}
}

// wake is called when a delivery is due, or a pause over.
func (q *Queue) wake(l *lane) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.lanes[l.provider.UID] == l {
		q.startWorkers(l)
		q.retire(l)
	}
}

// take moves a delivery from waiting to running. The mutex is held.
func (q *Queue) take(l *lane, i int) *delivery {
	d := q.remove(l, i)
	q.running[d] = struct{}{}
	l.tenant.running += d.size
	if d.orderingKey != "" {
		l.inFlight[d.orderingKey] = true
	}
	return d
}

// work sends one delivery after the other and ends when none may start.
func (q *Queue) work(l *lane, d *delivery) {
	for d != nil {
		err := q.attempt(d)
		o, again := judge(d, err)
		if !again && q.claim(d) {
			// Before the delivery counts as settled: after that, the process may end.
			q.record.Outcome(o)
		}
		d = q.settle(l, d, err, again)
	}
}

// attempt tries once. A delivery that has waited too long is not tried any more.
func (q *Queue) attempt(d *delivery) *provider.Error {
	if time.Since(d.accepted) >= q.options.MaxAge {
		return provider.Permanentf(ReasonExpired, "not sent within %s", q.options.MaxAge)
	}
	target, err := q.target(d.notification.Provider)
	if err == nil {
		d.attempts.Add(1)
		begin := time.Now()
		err = send(q.attempts, target.Sender, d.notification, min(target.Timeout, q.options.MaxAge))
		q.record.Attempt(d.attempt(time.Since(begin), err))
	}
	switch {
	case err == nil:
		return nil
	case q.attempts.Err() != nil:
		return provider.Permanentf(ReasonShutdown, "%w: %w", errShutdown, err)
	default:
		return provider.Classify(err)
	}
}

// target is what resolve gives, and turns a panic of it into an error, as send does: it makes senders.
func (q *Queue) target(p provider.Object) (target *Target, err error) {
	defer func() {
		if recover() != nil {
			err = provider.Permanentf(provider.ReasonUnclassified, "Provider '%s': the sender could not be made: it panicked", p)
		}
	}()
	return q.resolve(p)
}

// send gives the sender its time, and turns a panic of it into an error: it is not to take the process down.
func send(ctx context.Context, sender provider.Sender, n *provider.Notification, timeout time.Duration) (err error) {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = provider.Permanentf(provider.ReasonUnclassified, "the sender panicked")
		}
	}()
	return sender.Send(ctx, n)
}

// judge decides what an attempt means: the outcome, or that there will be another one.
func judge(d *delivery, err *provider.Error) (o Outcome, again bool) {
	if err != nil && err.Kind == provider.Transient {
		d.failures++
	}
	o = d.outcome()
	switch {
	case err == nil:
		o.Result = Sent
		return o, false
	case err.Kind == provider.Superseded:
		return o.skipped(err.Reason), false
	case err.Kind == provider.Permanent:
		return o.failed(err.Reason, err), false
	case d.failures > maxRetries && o.Attempts == 0:
		return o.failed(err.Reason, fmt.Errorf("given up without an attempt: %w", err)), false
	case d.failures > maxRetries:
		return o.failed(err.Reason, fmt.Errorf("given up after %d attempts: %w", o.Attempts, err)), false
	default:
		return o, true
	}
}

// settle ends an attempt: what has to be tried again goes back to its place. It returns the worker's next delivery,
// nil if the worker is to end.
func (q *Queue) settle(l *lane, d *delivery, err *provider.Error, again bool) *delivery {
	now := time.Now()
	q.mu.Lock()
	defer q.mu.Unlock()
	delete(l.inFlight, d.orderingKey)
	if again && q.attempts.Err() == nil {
		q.requeue(l, d, err, now)
	} else if again && !d.recorded {
		d.recorded = true
		q.record.Outcome(d.outcome().failed(ReasonShutdown, fmt.Errorf("%w: %w", errShutdown, err)))
	}
	delete(q.running, d)
	l.tenant.running -= d.size
	i, wait := l.next(now)
	if i >= 0 && q.admit(l, l.entries[i]) {
		next := q.take(l, i)
		// What the attempt held back may be more than one worker can do.
		q.startWorkers(l)
		return next
	}
	l.workers--
	l.wakeAt(wait, func() { q.wake(l) })
	q.unblock(l.tenant)
	q.retire(l)
	return nil
}

// requeue puts a delivery back, to be tried again after its back-off or, when its service asked to wait, with the
// whole lane.
func (q *Queue) requeue(l *lane, d *delivery, err *provider.Error, now time.Time) {
	if err.Kind == provider.Throttled {
		if until := now.Add(min(err.RetryAfter, maxPause)); until.After(l.pausedUntil) {
			l.pausedUntil = until
		}
	} else {
		d.notBefore = now.Add(backoff(d.failures))
	}
	q.insert(l, d)
}

// backoff is the wait after the given number of failures, at least one.
func backoff(failures int) time.Duration {
	wait := min(firstRetry<<(failures-1), maxRetryWait)
	return wait + time.Duration(rand.Float64()*jitter*float64(wait))
}
