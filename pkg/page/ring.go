package page

// ring keeps the last of what is added, in slots that are used again.
type ring[T any] struct {
	slots []T
	// next is the slot that is used next.
	next int
}

func newRing[T any](size int) ring[T] { return ring[T]{slots: make([]T, 0, size)} }

// add returns the newest slot and its place. It holds what it was used for before.
func (r *ring[T]) add() (int, *T) {
	i := r.next
	if i == len(r.slots) {
		r.slots = r.slots[:i+1]
	}
	r.next = (i + 1) % cap(r.slots)
	return i, &r.slots[i]
}

func (r *ring[T]) at(i int) *T { return &r.slots[i] }

// newest yields the slots, the newest first.
func (r *ring[T]) newest(yield func(*T) bool) {
	for n := range len(r.slots) {
		if !yield(&r.slots[(r.next-1-n+2*len(r.slots))%len(r.slots)]) {
			return
		}
	}
}
