package dispatch

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// QueueOptions bound what waits and what runs.
type QueueOptions struct {
	// PerProvider is how many notifications may wait for one Provider.
	PerProvider int
	// Total is how many may wait for all Providers together, TotalBytes how much memory they may take.
	Total, TotalBytes int
	// Workers is how many notifications of one Provider are sent at a time.
	Workers int
	// MaxAge is how long a notification may wait, with all its attempts, before it is given up.
	MaxAge time.Duration
}

// DefaultQueueOptions are what the flags default to.
func DefaultQueueOptions() QueueOptions {
	return QueueOptions{PerProvider: 1000, Total: 20_000, TotalBytes: 64 << 20, Workers: 10, MaxAge: time.Hour}
}

// Queue holds the notifications that wait for their Providers, a lane for each: one that hangs costs only itself.
// Lanes and workers exist while there is something to do. At a bound, the oldest notification of the lane that has most
// of what there is too much of is dropped and recorded: among the lanes of the namespace that has most.
type Queue struct {
	options QueueOptions
	resolve func(provider.Object) (*Target, error)
	record  Recorder

	// attempts ends when what is under way has to be given up.
	attempts context.Context
	giveUp   context.CancelFunc

	mu sync.Mutex
	// lanes are by the UID of the Provider, tenants by namespace.
	lanes   map[string]*lane
	tenants map[string]*tenant
	waiting int
	bytes   int
	running map[*delivery]struct{}
	seq     uint64
	closed  bool
	// idle is closed when the queue is closed and nothing waits or runs.
	idle chan struct{}
}

// NewQueue returns a queue; resolve gives the sender of a Provider, at every attempt anew.
func NewQueue(o QueueOptions, resolve func(provider.Object) (*Target, error), record Recorder) *Queue {
	attempts, giveUp := context.WithCancel(context.Background())
	return &Queue{
		options: o, resolve: resolve, record: record,
		attempts: attempts, giveUp: giveUp,
		lanes: map[string]*lane{}, tenants: map[string]*tenant{}, running: map[*delivery]struct{}{}, idle: make(chan struct{}),
	}
}

// Enqueue hands a notification over. It never blocks and never fails: what cannot wait is dropped and recorded.
func (q *Queue) Enqueue(n *provider.Notification, row provider.Type) {
	d := &delivery{notification: n, providerType: row.Name, size: n.Event.Size(), accepted: time.Now()}
	if row.OrderingKey != nil {
		d.orderingKey = row.OrderingKey(n)
	}
	q.mu.Lock()
	if q.closed {
		q.mu.Unlock()
		q.record.Outcome(d.outcome().failed(ReasonShutdown, errShutdown))
		return
	}
	q.seq++
	d.seq = q.seq
	dropped := q.makeRoom(n.Provider.UID, d.size)
	l := q.lane(n.Provider)
	q.insert(l, d)
	q.startWorkers(l)
	q.mu.Unlock()

	for _, old := range dropped {
		q.record.Outcome(q.full(old))
	}
}

// full is the outcome of a delivery that had to make room.
func (q *Queue) full(d *delivery) Outcome {
	o := d.outcome()
	o.Result, o.Reason = Dropped, ReasonQueueFull
	o.Err = fmt.Errorf("more than %d notifications wait for Provider '%s', or more than %d (%d MiB) for all Providers",
		q.options.PerProvider, d.notification.Provider, q.options.Total, q.options.TotalBytes>>20)
	return o
}

// makeRoom takes out what has to go for a notification of the given size to the Provider. Lanes that have nothing left are
// forgotten, but for the Provider's own.
func (q *Queue) makeRoom(uid string, size int) []*delivery {
	var dropped []*delivery
	if l := q.lanes[uid]; l != nil {
		for l.len() >= q.options.PerProvider {
			dropped = append(dropped, q.remove(l, 0))
		}
	}
	for q.waiting > 0 && q.waiting >= q.options.Total {
		dropped = append(dropped, q.evict(q.longestLane(), uid))
	}
	for q.waiting > 0 && q.bytes+size > q.options.TotalBytes {
		dropped = append(dropped, q.evict(q.largestLane(), uid))
	}
	return dropped
}

// evict takes the oldest delivery out of a lane, which is forgotten if that was all, unless it is the one to keep. A lane
// that is paused is forgotten when it wakes: its service is to be left alone until then.
func (q *Queue) evict(l *lane, keep string) *delivery {
	d := q.remove(l, 0)
	if l.provider.UID != keep && !time.Now().Before(l.pausedUntil) {
		q.retire(l)
	}
	return d
}

func (q *Queue) lane(p provider.Object) *lane {
	l := q.lanes[p.UID]
	if l == nil {
		l = &lane{provider: p, tenant: q.tenant(p.Namespace), inFlight: map[string]bool{}}
		q.lanes[p.UID] = l
		l.tenant.add(l)
	}
	return l
}

// insert puts a delivery in its place by order of acceptance.
func (q *Queue) insert(l *lane, d *delivery) {
	l.insert(d)
	l.bytes += d.size
	q.waiting++
	q.bytes += d.size
	l.tenant.count(l, 1, d.size)
}

// remove takes the i-th waiting delivery out of a lane.
func (q *Queue) remove(l *lane, i int) *delivery {
	d := l.remove(i)
	l.bytes -= d.size
	q.waiting--
	q.bytes -= d.size
	l.tenant.count(l, -1, -d.size)
	return d
}

// DropProvider drops what waits for a Provider that is gone.
func (q *Queue) DropProvider(uid string) {
	q.mu.Lock()
	var dropped []*delivery
	if l := q.lanes[uid]; l != nil {
		for l.len() > 0 {
			dropped = append(dropped, q.remove(l, 0))
		}
		q.retire(l)
	}
	q.mu.Unlock()
	for _, d := range dropped {
		o := d.outcome()
		o.Result, o.Reason, o.Err = Dropped, ReasonProviderDeleted, providerGone(d.notification.Provider)
		q.record.Outcome(o)
	}
}

// Len is how many notifications wait, and Lanes for how many Providers something waits or runs.
func (q *Queue) Len() (waiting, lanes int) {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.waiting, len(q.lanes)
}

// Backlog is what waits for one Provider.
type Backlog struct {
	Provider provider.Object
	// Waiting is how many notifications wait, Running how many are being sent.
	Waiting, Running int
	// Oldest is when the first of those that wait was accepted; zero if none waits.
	Oldest time.Time
	// PausedUntil is until when the service wants to be left alone; zero if it has not said so.
	PausedUntil time.Time
}

// Backlogs returns what waits for the Providers for which most does, at most limit of them.
func (q *Queue) Backlogs(limit int) []Backlog {
	q.mu.Lock()
	backlogs := make([]Backlog, 0, len(q.lanes))
	for _, l := range q.lanes {
		backlogs = append(backlogs, l.backlog())
	}
	q.mu.Unlock()
	slices.SortFunc(backlogs, func(a, b Backlog) int {
		return cmp.Or(cmp.Compare(b.Waiting, a.Waiting), strings.Compare(a.Provider.String(), b.Provider.String()))
	})
	return backlogs[:min(len(backlogs), limit)]
}

// OldestAge is how long ago the oldest of the waiting notifications was accepted; 0 if none waits.
func (q *Queue) OldestAge(now time.Time) time.Duration {
	q.mu.Lock()
	defer q.mu.Unlock()
	var oldest time.Duration
	for _, l := range q.lanes {
		if l.len() > 0 {
			oldest = max(oldest, now.Sub(l.entries[0].accepted))
		}
	}
	return oldest
}
