package dispatch

import "container/heap"

// The heaps that lanes are in.
const (
	byLength = iota
	bySize
	heaps
)

// laneHeap has the lane with most of something first, so that finding it does not take longer the more Providers there
// are.
type laneHeap struct {
	which int
	most  func(*lane) int
	lanes []*lane
}

func (h *laneHeap) first() *lane    { return h.lanes[0] }
func (h *laneHeap) add(l *lane)     { heap.Push(h, l) }
func (h *laneHeap) changed(l *lane) { heap.Fix(h, l.places[h.which]) }
func (h *laneHeap) takeOut(l *lane) { heap.Remove(h, l.places[h.which]) }

// Len implements [heap.Interface], as the others do.
func (h *laneHeap) Len() int { return len(h.lanes) }

// Less has the heap's first be the greatest.
func (h *laneHeap) Less(i, j int) bool { return h.most(h.lanes[i]) > h.most(h.lanes[j]) }

// Swap has the lanes know their places.
func (h *laneHeap) Swap(i, j int) {
	h.lanes[i], h.lanes[j] = h.lanes[j], h.lanes[i]
	h.lanes[i].places[h.which], h.lanes[j].places[h.which] = i, j
}

// Push is given a *lane.
func (h *laneHeap) Push(x any) {
	l, _ := x.(*lane)
	l.places[h.which] = len(h.lanes)
	h.lanes = append(h.lanes, l)
}

// Pop takes the last one.
func (h *laneHeap) Pop() any {
	last := len(h.lanes) - 1
	l := h.lanes[last]
	h.lanes[last] = nil
	h.lanes = h.lanes[:last]
	return l
}
