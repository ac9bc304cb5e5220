package provider

import (
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
)

func TestPrecedes(t *testing.T) {
	early, late := time.Unix(1, 0), time.Unix(2, 0)
	for _, test := range []struct {
		known, event time.Time
		want         bool
	}{
		{late, early, true},
		{early, late, false},
		{early, early, false},
		{time.Time{}, early, false},
		{late, time.Time{}, false},
	} {
		if got := (State{Timestamp: test.known}).Precedes(test.event); got != test.want {
			t.Errorf("known %s, event %s: got %t", test.known, test.event, got)
		}
	}
}

func TestHappened(t *testing.T) {
	now := time.Unix(10, 0)
	for at, want := range map[time.Time]time.Time{
		{}:               {},
		time.Unix(9, 0):  time.Unix(9, 0),
		now:              now,
		time.Unix(11, 0): now,
	} {
		n := &Notification{Event: event.Event{Timestamp: event.Timestamp{Time: at}}}
		if got := n.Happened(now); !got.Equal(want) {
			t.Errorf("%s: got %s, want %s", at, got, want)
		}
	}
}

// TestStatesAreBounded has services, things and hosts with names of any length.
func TestStatesAreBounded(t *testing.T) {
	const limit = 20
	long := strings.Repeat("x", 1<<20)
	all := NewStates(limit, true)
	before := heapInUse()
	for i := range limit {
		s := all.For(Object{UID: "1"}, fmt.Sprint("https://", i, long))
		s.Put(fmt.Sprint(long, i), State{Known: true, ETag: fmt.Sprint(i, long)})
		if got := s.Get(fmt.Sprint(long, i)); !got.Known || got.ETag != "" {
			t.Errorf("known %t, with an ETag of %d bytes", got.Known, len(got.ETag))
		}
		if s.Get(fmt.Sprint(long, i+1)).Known {
			t.Error("what ends otherwise is taken for the same")
		}
	}
	if held := heapInUse() - before; held > limit*(1<<10) {
		t.Errorf("%d states take %d bytes", limit, held)
	}
	all.Put("a", State{Known: true, ETag: strings.Repeat("x", maxETag)})
	if len(all.Get("a").ETag) != maxETag {
		t.Error("an ETag of the usual length is forgotten")
	}
}

// heapInUse is how many bytes are in use.
func heapInUse() int {
	// The second collection frees what was in a pool.
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return int(stats.HeapAlloc)
}

func TestStates(t *testing.T) {
	all := NewStates(2, true)
	one := all.For(Object{UID: "1"}, "https://a")
	one.Put("a", State{Known: true, Value: "x"})
	if got := all.For(Object{UID: "1"}, "https://a").Get("a"); got.Value != "x" || !one.Trusted(got) {
		t.Errorf("got %+v", got)
	}
	for _, unknown := range []State{
		one.Get("b"),
		all.For(Object{UID: "2"}, "https://a").Get("a"),
		all.For(Object{UID: "1"}, "https://b").Get("a"),
	} {
		if unknown != (State{}) || one.Trusted(unknown) {
			t.Errorf("got %+v", unknown)
		}
	}
	one.Put("b", State{Known: true})
	one.Put("c", State{Known: true})
	if one.Get("a").Known {
		t.Error("more is kept than the limit")
	}
	if shared := NewStates(2, false); shared.Trusted(State{Known: true}) {
		t.Error("what others may have changed is trusted")
	}
	var none *States
	none.For(Object{}, "").Put("a", State{})
	if none.Get("a") != (State{}) || none.Trusted(State{Known: true}) {
		t.Error("nothing remembers something")
	}
}
