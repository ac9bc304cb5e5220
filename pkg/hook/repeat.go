package hook

import (
	"crypto/sha256"
	"sync"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// repeatWindow is how long a delivery is remembered at least. One that could be sent again by whoever has recorded it is
// remembered for as long as that: see [source.Result.ValidUntil].
const repeatWindow = 60 * time.Second

// delivery names a call of one Receiver by the id that its sender gave it.
type delivery [sha256.Size]byte

func deliveryOf(receiver types.UID, id string) delivery {
	return sha256.Sum256([]byte(string(receiver) + "\x00" + id))
}

// repeats remembers the deliveries that have been handed over lately: senders repeat a call whose answer they missed.
// It is safe for concurrent use.
type repeats struct {
	// capacity is how many are remembered, about 120 bytes each. Beyond that the oldest are forgotten, whose repetition
	// would reconcile once more.
	capacity int

	mu sync.Mutex
	// seen has until when each is remembered.
	seen map[delivery]time.Time
	// order is that in which they came. One that is remembered for long holds up the next ones.
	order []delivery
}

func newRepeats(capacity int) *repeats {
	return &repeats{capacity: capacity, seen: map[delivery]time.Time{}}
}

// has says whether the delivery is remembered.
func (r *repeats) has(d delivery, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	until, ok := r.seen[d]
	return ok && now.Before(until)
}

// keep remembers a delivery for the window, and as long as it is valid, and forgets those that are too old or too many.
func (r *repeats) keep(d delivery, now, validUntil time.Time) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for len(r.order) > 0 {
		until, ok := r.seen[r.order[0]]
		if ok && now.Before(until) && len(r.order) < r.capacity {
			break
		}
		delete(r.seen, r.order[0])
		r.order = r.order[1:]
	}
	if _, ok := r.seen[d]; !ok {
		r.order = append(r.order, d)
	}
	r.seen[d] = now.Add(repeatWindow)
	if validUntil.After(r.seen[d]) {
		r.seen[d] = validUntil
	}
}

// forget has the next call with this id count as the first.
func (r *repeats) forget(d delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.seen, d)
}
