package controller

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
)

// observed keeps what an observer is told.
type observed struct {
	mu      sync.Mutex
	workers int
	started int
	errs    []error
}

func (o *observed) LoopStarted(_ string, workers int) { o.workers = workers }

func (o *observed) ReconcileStarted(string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.started++
}

func (o *observed) ObserveReconcile(_ string, _ Result, err error, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.errs = append(o.errs, err)
}

// runLoop runs a loop over the keys for a while of virtual time.
func runLoop(t *testing.T, o Options[string], lasts time.Duration, keys ...string) {
	t.Helper()
	if o.Backoff.Min == 0 {
		o.Backoff = Backoff{Min: time.Second, Max: 8 * time.Second}
	}
	o.Workers = max(o.Workers, 1)
	loop := NewLoop(o)
	for _, key := range keys {
		loop.Add(key)
	}
	ctx, cancel := context.WithTimeout(t.Context(), lasts)
	defer cancel()
	loop.Run(ctx)
}

func TestLoopBacksOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var at []time.Duration
		seen := &observed{}
		runLoop(t, Options[string]{Observer: seen, Sync: func(context.Context, string) (Result, error) {
			at = append(at, time.Since(start).Round(time.Second))
			if len(at) <= 5 {
				return Result{}, errors.New("not yet")
			}
			return Result{}, nil
		}}, time.Hour, "key")
		want := []time.Duration{0, 1, 3, 7, 15, 23} // Doubling up to 8 s.
		if len(at) != len(want) {
			t.Fatalf("passes at %v", at)
		}
		for i := range want {
			if at[i] != want[i]*time.Second {
				t.Errorf("pass %d at %s, want %s", i, at[i], want[i]*time.Second)
			}
		}
		if len(seen.errs) != 6 || seen.errs[5] != nil || seen.errs[0] == nil {
			t.Errorf("observed %v", seen.errs)
		}
	})
}

func TestLoopRequeues(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		passes := 0
		runLoop(t, Options[string]{Sync: func(context.Context, string) (Result, error) {
			passes++
			return Result{RequeueAfter: 10 * time.Minute}, nil
		}}, time.Hour-time.Second, "key")
		if passes != 6 {
			t.Errorf("%d passes in an hour, want 6", passes)
		}
	})
}

func TestLoopSurvivesPanics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		seen := &observed{}
		var good atomic.Int32
		runLoop(t, Options[string]{Observer: seen, Sync: func(_ context.Context, key string) (Result, error) {
			if key == "bad" {
				panic("boom")
			}
			good.Add(1)
			return Result{}, nil
		}}, time.Second/2, "bad", "good")
		if good.Load() != 1 {
			t.Errorf("the other key had %d passes", good.Load())
		}
		if seen.workers != 1 || seen.started != len(seen.errs) {
			t.Errorf("observed %d workers and the start of %d passes, of which %d ended", seen.workers, seen.started, len(seen.errs))
		}
		if len(seen.errs) != 2 || !IsPanic(errors.Join(seen.errs...)) {
			t.Errorf("observed %v", seen.errs)
		}
	})
}

// TestLoopLogsShortLines has keys, errors and panics of any length.
func TestLoopLogsShortLines(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	for name, sync := range map[string]func(context.Context, string) (Result, error){
		"error": func(context.Context, string) (Result, error) { return Result{}, errors.New(long) },
		"panic": func(context.Context, string) (Result, error) { panic(long) },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			ctx := klog.NewContext(t.Context(), logr.FromSlogHandler(slog.NewJSONHandler(&log, nil)))
			loop := NewLoop(Options[string]{Workers: 1, Backoff: Backoff{Min: time.Hour, Max: time.Hour}, Sync: sync})
			defer loop.queue.ShutDown()
			loop.Add(long)
			loop.next(ctx)
			if text := log.String(); !strings.Contains(text, "Sync failed") || len(text) > 8<<10 || (name == "panic") != strings.Contains(text, "loop_test.go") {
				t.Errorf("the line has %d bytes: %.9000s", len(text), text)
			}
		})
	}
}

func TestLoopLimitsAPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var took time.Duration
		runLoop(t, Options[string]{Sync: func(ctx context.Context, _ string) (Result, error) {
			<-ctx.Done() // An API server that hangs.
			if took == 0 {
				took = time.Since(start)
			}
			return Result{}, ctx.Err()
		}}, 2*PassLimit, "key")
		if took != PassLimit {
			t.Errorf("the pass was ended after %s", took)
		}
	})
}

func TestLoopWaitsForItsWorkers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		finished := false
		runLoop(t, Options[string]{Sync: func(context.Context, string) (Result, error) {
			time.Sleep(10 * time.Second) // Does not look at its context.
			finished = true
			return Result{}, nil
		}}, time.Second, "key")
		if !finished {
			t.Error("Run returned while a worker was still working")
		}
	})
}
