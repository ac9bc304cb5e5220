package page

import (
	"strings"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/hook"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Bounds of what is remembered. With all of them reached, it is some megabytes.
const (
	maxEvents     = 1000
	maxDeliveries = 1000
	// maxFailures are kept apart, so that a thousand successes do not push the one failure out.
	maxFailures = 200
	// maxVerdicts is how many Alerts of an event are remembered, maxAttempts how many tries of a delivery: the last.
	maxVerdicts = 50
	maxAttempts = 8
	// maxCalls is how many calls of each Receiver are, and maxReceivers of how many.
	maxCalls     = 5
	maxReceivers = 10_000
	// maxText is how many bytes of a message or error are, maxName of a name.
	maxText = 500
	maxName = 253
)

// Ledger remembers what happened lately. It implements [dispatch.Recorder], and costs an event little: nothing is
// formatted before somebody looks.
type Ledger struct {
	// Problems are Kubernetes Events on their Alerts.
	dispatch.Recorders

	now func() time.Time

	mu         sync.Mutex
	events     ring[seenEvent]
	deliveries ring[delivery]
	failures   ring[delivery]
	// open has the place in deliveries of those that can still change.
	open  map[deliveryKey]int
	calls map[types.UID]*ring[hook.Call]
}

var _ dispatch.Recorder = (*Ledger)(nil)

// NewLedger returns an empty Ledger.
func NewLedger(now func() time.Time) *Ledger {
	return &Ledger{
		now:        now,
		events:     newRing[seenEvent](maxEvents),
		deliveries: newRing[delivery](maxDeliveries),
		failures:   newRing[delivery](maxFailures),
		open:       map[deliveryKey]int{},
		calls:      map[types.UID]*ring[hook.Call]{},
	}
}

// seenEvent is a request to the event server.
type seenEvent struct {
	at     time.Time
	result dispatch.EventResult
	// id is empty for what was not accepted.
	id       string
	object   event.ObjectReference
	severity string
	reason   string
	message  string
	// verdicts begin with the Alerts that select the event.
	verdicts []verdict
	// unlisted is how many more Alerts were asked, and matches how many of all select the event.
	unlisted, matches int
	// err is why the request was refused.
	err string
}

// verdict is what an Alert said to an event.
type verdict struct {
	alert   provider.Object
	verdict dispatch.Verdict
}

type deliveryKey struct{ event, alert string }

// delivery is a notification on its way, or at its end.
type delivery struct {
	key      deliveryKey
	at       time.Time
	object   event.ObjectReference
	alert    provider.Object
	provider provider.Object
	kind     string
	// attempts are the last ones, count is how many there were.
	attempts []attempt
	count    int
	// result is empty while the notification is on its way.
	result dispatch.Result
	reason provider.Reason
	age    time.Duration
	err    string
}

type attempt struct {
	at   time.Time
	took time.Duration
	err  string
}

// Event implements [dispatch.Recorder].
func (l *Ledger) Event(v dispatch.EventVerdict) {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, e := l.events.add()
	*e = seenEvent{at: l.now(), result: v.Result, verdicts: e.verdicts[:0]}
	if v.Err != nil {
		e.err = short(v.Err.Error(), maxText)
	}
	if v.Event == nil {
		return
	}
	e.id, e.object = v.Event.ID, shortReference(v.Event.InvolvedObject)
	e.severity, e.reason = short(v.Event.Severity, maxName), short(v.Event.Reason, maxName)
	e.message = short(v.Event.Message, maxText)
	e.list(v.Judgements, true)
	e.list(v.Judgements, false)
	e.unlisted, e.matches = len(v.Judgements)-len(e.verdicts), v.Matches()
}

// list remembers the judgements that are matches, or are not, as far as there is room.
func (e *seenEvent) list(judgements []dispatch.Judgement, matches bool) {
	for _, judgement := range judgements {
		if len(e.verdicts) == maxVerdicts {
			return
		}
		if a := judgement.Alert; matches == (judgement.Verdict == dispatch.Matched) {
			e.verdicts = append(e.verdicts, verdict{provider.Object{Namespace: a.Namespace, Name: a.Name}, judgement.Verdict})
		}
	}
}

// Attempt implements [dispatch.Recorder].
func (l *Ledger) Attempt(a dispatch.Attempt) {
	l.mu.Lock()
	defer l.mu.Unlock()
	d := l.delivery(deliveryKey{a.EventID, a.Alert.UID})
	d.object, d.alert, d.provider = shortReference(a.Object), a.Alert, a.Provider
	d.kind, d.count = a.Type, a.Number
	if len(d.attempts) == maxAttempts {
		d.attempts = append(d.attempts[:0], d.attempts[1:]...)
	}
	tried := attempt{at: l.now(), took: a.Took}
	if a.Err != nil {
		tried.err = short(a.Err.Error(), maxText)
	}
	d.attempts = append(d.attempts, tried)
}

// Outcome implements [dispatch.Recorder].
func (l *Ledger) Outcome(o dispatch.Outcome) {
	l.mu.Lock()
	defer l.mu.Unlock()
	key := deliveryKey{o.EventID, o.Alert.UID}
	d := l.delivery(key)
	d.object, d.alert, d.provider = shortReference(o.Object), o.Alert, o.Provider
	d.kind, d.result, d.reason, d.age, d.count = o.Type, o.Result, o.Reason, o.Age, o.Attempts
	if o.Err != nil {
		d.err = short(o.Err.Error(), maxText)
	}
	delete(l.open, key)
	if o.Result == dispatch.Failed || o.Result == dispatch.Dropped {
		_, failure := l.failures.add()
		attempts := append(failure.attempts[:0], d.attempts...)
		*failure = *d
		failure.attempts = attempts
	}
}

// delivery returns the one with the key, which is a new one if it is not remembered.
func (l *Ledger) delivery(key deliveryKey) *delivery {
	if i, ok := l.open[key]; ok {
		return l.deliveries.at(i)
	}
	i, d := l.deliveries.add()
	if place, ok := l.open[d.key]; ok && place == i {
		delete(l.open, d.key)
	}
	*d = delivery{key: key, at: l.now(), attempts: d.attempts[:0]}
	l.open[key] = i
	return d
}

// Call remembers how a call of a Receiver ended.
func (l *Ledger) Call(c hook.Call) {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls[c.UID]
	if calls == nil {
		if len(l.calls) == maxReceivers {
			return
		}
		made := newRing[hook.Call](maxCalls)
		calls = &made
		l.calls[c.UID] = calls
	}
	c.Reason = short(c.Reason, maxText)
	_, slot := calls.add()
	*slot = c
}

// Drop forgets a Receiver that is gone.
func (l *Ledger) Drop(receiver types.UID) {
	l.mu.Lock()
	defer l.mu.Unlock()
	delete(l.calls, receiver)
}

// short returns s, or its beginning in memory of its own: what is long is not to be kept for its first words.
func short(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	return strings.Clone(provider.CutBytes(s, limit))
}

// shortReference keeps of a reference what is shown.
func shortReference(r event.ObjectReference) event.ObjectReference {
	return event.ObjectReference{Kind: short(r.Kind, maxName), Namespace: short(r.Namespace, maxName), Name: short(r.Name, maxName)}
}
