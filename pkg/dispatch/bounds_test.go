package dispatch

import (
	"context"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// TestQueueMemoryIsHonest compares what the queue believes to hold with what the heap holds.
func TestQueueMemoryIsHonest(t *testing.T) {
	const group = "kustomize.toolkit.fluxcd.io/"
	metadata := func(entries, length int) string {
		texts := make([]string, entries)
		for i := range texts {
			texts[i] = fmt.Sprintf(`"%s%d":"%s"`, group, i, strings.Repeat("v", length))
		}
		return "{" + strings.Join(texts, ",") + "}"
	}
	for _, tt := range []struct {
		name, message, metadata string
		events                  int
	}{
		{"bare", "", "{}", 2000},
		{"usual", strings.Repeat("m", 200), metadata(4, 50), 2000},
		{"long message", strings.Repeat("m", 50_000), metadata(1, 10), 200},
		{"many entries", "", metadata(1000, 1), 20},
		{"one more than a table holds", "", metadata(897, 0), 20},
	} {
		t.Run(tt.name, func(t *testing.T) {
			block := make(chan struct{})
			options := DefaultQueueOptions()
			options.PerProvider, options.Workers = tt.events, 1
			q, recorded := testQueue(options, func(context.Context, *provider.Notification) error {
				<-block
				return nil
			})
			before := heapInUse()
			for i := range tt.events {
				body := fmt.Sprintf(`{"involvedObject":{"kind":"Kustomization","apiVersion":"%sv1","namespace":"team-%d","name":"shop-%d","uid":"01234567-89ab-cdef-0123-%012d"},
"severity":"info","timestamp":"2026-11-22T00:00:00Z","message":"%s","reason":"Progressing","reportingController":"kustomize-controller","metadata":%s}`, group, i, i, i, tt.message, tt.metadata)
				e, err := event.Decode([]byte(body))
				if err != nil {
					t.Fatal(err)
				}
				e.Metadata = event.Clean(e)
				e.ID = fmt.Sprintf("%026d", i)
				n, _ := render(e, &v1beta3.Alert{}, &v1beta3.Provider{})
				q.Enqueue(n, anyOrder)
			}
			held := int(heapInUse() - before)
			q.mu.Lock()
			believed := q.bytes
			q.mu.Unlock()
			t.Logf("%d bytes each, believed %d", held/tt.events, believed/tt.events)
			// A little more is for what is under way, and for the runtime.
			if slack := 64 << 10; held > believed+slack {
				t.Errorf("the heap holds %d bytes, the queue believes %d", held, believed)
			}
			if believed > 4*held {
				t.Errorf("the heap holds only %d bytes, the queue believes %d", held, believed)
			}
			close(block)
			q.Drain(t.Context())
			if sent := recorded.count(Sent, ""); sent != tt.events {
				t.Errorf("%d of %d sent", sent, tt.events)
			}
		})
	}
}

// heapInUse is how many bytes are in use.
func heapInUse() uint64 {
	// The second collection frees what had a finalizer or was in a pool.
	runtime.GC()
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// TestQueueMemoryIsShared has a Provider with few large notifications make room, and not the one with many small ones.
func TestQueueMemoryIsShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		options := QueueOptions{PerProvider: 1000, Total: 1000, TotalBytes: 1 << 20, Workers: 1, MaxAge: time.Hour}
		q, recorded := testQueue(options, func(context.Context, *provider.Notification) error {
			<-block
			return nil
		})
		for i := range 50 {
			q.Enqueue(newNotification("small", i), anyOrder)
		}
		for i := range 20 {
			n := newNotification("large", i)
			n.Event.Message = string(make([]byte, 100<<10))
			q.Enqueue(n, anyOrder)
		}
		if recorded.count(Dropped, ReasonQueueFull) == 0 {
			t.Error("nothing was dropped")
		}
		for _, o := range recorded.all {
			if o.Provider.Name != "large" {
				t.Errorf("dropped %+v, want one of those that take the memory", o)
			}
		}
		close(block)
		q.Drain(t.Context())
	})
}

// TestQueueForgetsEmptiedLanes has Providers that have to wait make room for others.
func TestQueueForgetsEmptiedLanes(t *testing.T) {
	message := string(make([]byte, 100<<10))
	for name, options := range map[string]QueueOptions{
		"total": {PerProvider: 100, Total: 3, TotalBytes: 64 << 20, Workers: 1, MaxAge: time.Hour},
		"bytes": {PerProvider: 100, Total: 100, TotalBytes: 350 << 10, Workers: 1, MaxAge: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, recorded := testQueue(options, func(context.Context, *provider.Notification) error {
					return provider.Transientf(provider.ReasonTimeout, "again")
				})
				enqueue := func(to string) {
					n := newNotification(to, 1)
					n.Event.Message = message
					q.Enqueue(n, anyOrder)
					// It has been tried, and waits.
					synctest.Wait()
				}
				for i := range 20 {
					enqueue(fmt.Sprint(i))
				}
				if waiting, lanes := q.Len(); waiting != 3 || lanes != 3 {
					t.Errorf("%d wait in %d lanes, want 3 in 3", waiting, lanes)
				}
				// The lane that is emptied is also the one that is added to.
				for range 5 {
					enqueue("19")
				}
				waiting, lanes := q.Len()
				if waiting != 3 || lanes > 3 || recorded.count(Dropped, ReasonQueueFull) != 22 {
					t.Errorf("%d wait in %d lanes, %d dropped, want 3 in up to 3, 22 dropped", waiting, lanes, recorded.count(Dropped, ReasonQueueFull))
				}
				ctx, cancel := context.WithCancel(t.Context())
				cancel()
				if lost := q.Drain(ctx); lost != 3 {
					t.Errorf("Drain lost %d, want 3", lost)
				}
			})
		})
	}
}

// TestPauseOutlivesItsLane has the last notification for a service that wants to be left alone make room for others: the next
// one for it waits all the same, and the lane goes when the pause is over.
func TestPauseOutlivesItsLane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const pause = 10 * time.Minute
		begin := time.Now()
		var attempts []time.Duration
		options := QueueOptions{PerProvider: 100, Total: 1, TotalBytes: 64 << 20, Workers: 1, MaxAge: time.Hour}
		q, _ := testQueue(options, func(_ context.Context, n *provider.Notification) error {
			if n.Provider.Name == "b" {
				return provider.Transientf(provider.ReasonTimeout, "again")
			}
			attempts = append(attempts, time.Since(begin))
			return provider.Throttledf(pause, "wait")
		})
		for _, to := range []string{"a", "b", "a", "b"} {
			q.Enqueue(newNotification(to, 1), anyOrder)
			synctest.Wait()
		}
		if len(attempts) != 1 {
			t.Errorf("attempts after %s, want one", attempts)
		}
		if _, lanes := q.Len(); lanes != 2 {
			t.Errorf("%d lanes during the pause, want 2", lanes)
		}
		time.Sleep(pause + time.Second)
		synctest.Wait()
		if _, lanes := q.Len(); lanes != 0 {
			t.Errorf("%d lanes are left after the pause", lanes)
		}
		q.Drain(t.Context())
	})
}

// TestResolvePanics has a type of Provider panic when its sender is made.
func TestResolvePanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorded := &outcomes{}
		q := NewQueue(DefaultQueueOptions(), func(provider.Object) (*Target, error) { panic("boom") }, recorded)
		q.Enqueue(newNotification("a", 1), anyOrder)
		q.Drain(t.Context())
		if recorded.count(Failed, provider.ReasonUnclassified) != 1 {
			t.Errorf("recorded %+v", recorded.all)
		}
	})
}
