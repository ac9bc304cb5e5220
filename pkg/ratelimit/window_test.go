package ratelimit

import (
	"encoding/binary"
	"testing"
	"time"
	"unsafe"
)

func TestWindows(t *testing.T) {
	const interval = time.Minute
	start := time.Date(2026, 1, 1, 0, 0, 30, 0, time.UTC)
	steps := []struct {
		at     time.Duration
		passed bool
		reset  time.Duration
	}{
		{0, true, interval},
		{0, false, interval},
		{59 * time.Second, false, interval},
		// Fixed windows from first sight: what was refused extends nothing.
		{60 * time.Second, true, 2 * interval},
		{61 * time.Second, false, 2 * interval},
		{2*interval + time.Second, true, 3 * interval},
		// A window without a try is not saved up.
		{4 * interval, true, 5 * interval},
		{4*interval + time.Second, false, 5 * interval},
	}
	w := NewWindows(interval, 10)
	for _, step := range steps {
		passed, reset := w.Take(Key{1}, start.Add(step.at))
		if passed != step.passed || !reset.Equal(start.Add(step.reset)) {
			t.Errorf("at %s: passed %t, reset after %s; want %t, %s", step.at, passed, reset.Sub(start), step.passed, step.reset)
		}
	}
	if passed, _ := w.Take(Key{2}, start); !passed {
		t.Error("another key was refused")
	}
}

func TestWindowsClockGoesBack(t *testing.T) {
	start := time.Now()
	w := NewWindows(time.Minute, 10)
	w.Take(Key{1}, start)
	if passed, _ := w.Take(Key{1}, start.Add(-time.Hour)); !passed {
		t.Error("the key is refused until the clock catches up")
	}
}

func TestWindowsWithoutInterval(t *testing.T) {
	now := time.Now()
	w := NewWindows(-1, 10)
	w.Take(Key{1}, now)
	if passed, _ := w.Take(Key{1}, now.Add(999*time.Millisecond)); passed {
		t.Error("passed within the second")
	}
	if passed, _ := w.Take(Key{1}, now.Add(time.Second)); !passed {
		t.Error("refused after a second")
	}
}

func TestWindowsForget(t *testing.T) {
	now := time.Now()
	w := NewWindows(time.Minute, 10)
	w.Take(Key{1}, now)
	w.Take(Key{2}, now.Add(2*time.Minute))
	w.Take(Key{3}, now.Add(3*time.Minute+time.Second))
	if w.Len() != 2 {
		t.Errorf("%d keys remembered, want 2: the first was last used more than two windows ago", w.Len())
	}
}

func TestWindowsAreBounded(t *testing.T) {
	const capacity = 1000
	now := time.Now()
	w := NewWindows(time.Hour, capacity)
	for i := range 10 * capacity {
		var key Key
		binary.BigEndian.PutUint64(key[:], uint64(i))
		if passed, _ := w.Take(key, now); !passed {
			t.Fatal("a new key was refused")
		}
		if w.Len() > capacity {
			t.Fatalf("%d keys remembered, want at most %d", w.Len(), capacity)
		}
		if passed, _ := w.Take(key, now); passed {
			t.Fatal("a key that was just used passed")
		}
	}
}

func BenchmarkTake(b *testing.B) {
	w := NewWindows(time.Hour, 100_000)
	now := time.Now()
	var i uint64
	b.ReportAllocs()
	for b.Loop() {
		var key Key
		i++
		binary.BigEndian.PutUint64(key[:], i)
		w.Take(key, now)
	}
}

// TestWindowsClockJumps sets the wall clock ahead and back, as an administrator or NTP may.
func TestWindowsClockJumps(t *testing.T) {
	const interval = time.Minute
	start := time.Now()
	for _, jump := range []time.Duration{time.Hour, -time.Hour, 2 * time.Second, -2 * time.Second} {
		w := NewWindows(interval, 10)
		w.Take(Key{1}, start)
		now := jumped(start.Add(time.Second), jump)
		passed, reset := w.Take(Key{1}, now)
		if left := reset.Sub(now); passed || left != interval-time.Second {
			t.Errorf("after a jump of %s: passed %t, %s left of the window", jump, passed, left)
		}
		if passed, _ := w.Take(Key{1}, jumped(start.Add(interval), jump)); !passed {
			t.Errorf("after a jump of %s: still refused when the window has passed", jump)
		}
	}
}

// jumped is a time as it is read after the wall clock was set ahead by whole seconds: its monotonic reading does not
// jump. Package time has no other way to make one.
func jumped(t time.Time, ahead time.Duration) time.Time {
	const secondsShift = 30 // See type Time in the source of package time.
	wall := (*uint64)(unsafe.Pointer(&t))
	*wall += uint64(int64(ahead/time.Second)) << secondsShift
	return t
}

func TestJumped(t *testing.T) {
	now := time.Now()
	then := jumped(now, -time.Hour)
	if then.Sub(now) != 0 || then.Unix() != now.Unix()-3600 {
		t.Errorf("%s became %s", now, then)
	}
}
