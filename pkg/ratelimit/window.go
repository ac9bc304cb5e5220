// Package ratelimit holds limiters with a bucket for each key, bounded in memory.
package ratelimit

import (
	"sync"
	"time"
)

// Key names a bucket; callers hash what they count.
type Key [16]byte

// Windows lets each key through once in a window of fixed length. The windows of a key are counted from the moment
// it was first seen, and a refused try does not extend them. Where the wall clock is set meanwhile does not matter, as
// long as the times given have a monotonic reading. It is safe for concurrent use.
type Windows struct {
	interval time.Duration
	capacity int
	// epoch is what times are kept relative to.
	epoch time.Time

	mu        sync.Mutex
	buckets   map[Key]bucket
	nextSweep time.Time
}

// bucket is small, since there are many.
type bucket struct {
	// start of the first window, since the epoch.
	start time.Duration
	// used is the number of the last window in which the key was let through.
	used int64
}

// NewWindows returns a limiter with windows of the given length, 1 s if that is not positive. It remembers at most
// capacity keys; beyond that it forgets some, whose next try passes.
func NewWindows(interval time.Duration, capacity int) *Windows {
	if interval <= 0 {
		interval = time.Second
	}
	return &Windows{interval: interval, capacity: capacity, epoch: time.Now(), buckets: map[Key]bucket{}}
}

// Take says whether the key passes now, and when its current window ends.
func (w *Windows) Take(key Key, now time.Time) (passed bool, reset time.Time) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if now.After(w.nextSweep) {
		w.sweep(now.Sub(w.epoch), 2*w.interval)
		w.nextSweep = now.Add(w.interval)
	}

	at := now.Sub(w.epoch)
	b, seen := w.buckets[key]
	if !seen || at < b.start {
		// A time before the first one would otherwise block the key until it catches up.
		w.makeRoom(at)
		w.buckets[key] = bucket{start: at}
		return true, now.Add(w.interval)
	}
	current := int64((at - b.start) / w.interval)
	reset = now.Add(b.start + time.Duration(current+1)*w.interval - at)
	if current == b.used {
		return false, reset
	}
	b.used = current
	w.buckets[key] = b
	return true, reset
}

// Len is the number of keys that are remembered.
func (w *Windows) Len() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.buckets)
}

// sweep forgets keys whose last used window began longer ago than age.
func (w *Windows) sweep(now, age time.Duration) {
	for key, b := range w.buckets {
		if now-b.start-time.Duration(b.used)*w.interval > age {
			delete(w.buckets, key)
		}
	}
}

// makeRoom keeps the number of keys within the capacity: first those whose window has ended go, then, a sixteenth at
// a time so that it does not happen for every new key, any.
func (w *Windows) makeRoom(now time.Duration) {
	if len(w.buckets) < w.capacity {
		return
	}
	w.sweep(now, w.interval)
	surplus := len(w.buckets) - w.capacity + w.capacity/16 + 1
	for key := range w.buckets {
		if surplus <= 0 {
			return
		}
		delete(w.buckets, key)
		surplus--
	}
}
