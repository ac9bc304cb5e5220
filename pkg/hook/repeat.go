package hook

import (
	"container/heap"
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
	// capacity is how many are remembered, about 140 bytes each. Beyond that those go first that would go next, whose
	// repetition would reconcile once more.
	capacity int

	mu    sync.Mutex
	seen  map[delivery]*seenDelivery
	queue expiryHeap
}

// seenDelivery is one that is remembered until some time.
type seenDelivery struct {
	id    delivery
	until time.Time
	// place is that in the heap.
	place int
}

func newRepeats(capacity int) *repeats {
	return &repeats{capacity: capacity, seen: map[delivery]*seenDelivery{}}
}

// has says whether the delivery is remembered.
func (r *repeats) has(d delivery, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	seen, ok := r.seen[d]
	return ok && now.Before(seen.until)
}

// keep remembers a delivery for the window, and as long as it is valid, and forgets those that are too old or too many. It
// returns false if the delivery is remembered already.
func (r *repeats) keep(d delivery, now, validUntil time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if seen, ok := r.seen[d]; ok && now.Before(seen.until) {
		return false
	}
	r.remove(d)
	for len(r.queue) > 0 && (len(r.queue) >= r.capacity || !now.Before(r.queue[0].until)) {
		r.remove(r.queue[0].id)
	}
	until := now.Add(repeatWindow)
	if validUntil.After(until) {
		until = validUntil
	}
	r.seen[d] = &seenDelivery{id: d, until: until}
	heap.Push(&r.queue, r.seen[d])
	return true
}

// forget has the next call with this id count as the first.
func (r *repeats) forget(d delivery) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(d)
}

func (r *repeats) remove(d delivery) {
	if seen, ok := r.seen[d]; ok {
		heap.Remove(&r.queue, seen.place)
		delete(r.seen, d)
	}
}

// expiryHeap has the delivery first that is forgotten first.
type expiryHeap []*seenDelivery

// Len implements [heap.Interface], as the others do.
func (h expiryHeap) Len() int { return len(h) }

// Less compares times.
func (h expiryHeap) Less(i, j int) bool { return h[i].until.Before(h[j].until) }

// Swap has the deliveries know their places.
func (h expiryHeap) Swap(i, j int) {
	h[i], h[j] = h[j], h[i]
	h[i].place, h[j].place = i, j
}

// Push is given a *seenDelivery.
func (h *expiryHeap) Push(x any) {
	seen, _ := x.(*seenDelivery)
	seen.place = len(*h)
	*h = append(*h, seen)
}

// Pop takes the last one.
func (h *expiryHeap) Pop() any {
	last := len(*h) - 1
	seen := (*h)[last]
	(*h)[last] = nil
	*h = (*h)[:last]
	return seen
}
