package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

// fakeLock is a Lease in memory.
type fakeLock struct {
	mu     sync.Mutex
	record *resourcelock.LeaderElectionRecord
	// hangs has calls wait until they are given up.
	hangs bool
	// happened is what did, in order.
	happened []string
}

func (l *fakeLock) note(what string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.happened = append(l.happened, what)
}

func (l *fakeLock) set(hangs bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.hangs = hangs
}

func (l *fakeLock) call(ctx context.Context) error {
	l.mu.Lock()
	hangs := l.hangs
	l.mu.Unlock()
	if hangs {
		<-ctx.Done()
	}
	return ctx.Err()
}

func (l *fakeLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	if err := l.call(ctx); err != nil {
		return nil, nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.record == nil {
		return nil, nil, apierrors.NewNotFound(schema.GroupResource{}, "lease")
	}
	return l.record, []byte(fmt.Sprint(*l.record)), nil
}

func (l *fakeLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	return l.Update(ctx, record)
}

func (l *fakeLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	if err := l.call(ctx); err != nil {
		return err
	}
	if record.HolderIdentity == "" {
		l.note("released")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.record = &record
	return nil
}

func (l *fakeLock) RecordEvent(string) {}
func (l *fakeLock) Identity() string   { return "me" }
func (l *fakeLock) Describe() string   { return "lease" }

// TestLease has a term end: the process is told to, with an API server that answers or one that hangs, or the Lease cannot be
// renewed, or the work fails.
func TestLease(t *testing.T) {
	const lease, renew, retry = 35 * time.Second, 30 * time.Second, 5 * time.Second
	// pass is one of the work that is under way when it is to end.
	const pass = time.Second
	broken := errors.New("broken")
	for _, test := range []struct {
		name string
		// hangs has the API server hang from a minute on, told has the process told to end then, fails the work fail.
		hangs, told, fails bool
		// back is after how long it answers again, if ever.
		back time.Duration
		want []string
		// within is how long the term may go on. The last renewal may be almost retry old by then.
		within time.Duration
		err    error
	}{
		{name: "told to end", told: true, want: []string{"works", "stopped", "released"}, within: 2 * time.Second},
		{name: "told to end while the API hangs", told: true, hangs: true, want: []string{"works", "stopped"}, within: pass + releaseLimit},
		{name: "the API hangs", hangs: true, want: []string{"works", "stopped"}, within: retry + renew + pass + releaseLimit},
		{name: "the API is back too late", hangs: true, back: renew + time.Second/2, want: []string{"works", "stopped", "released"}, within: retry + renew + pass},
		{name: "the work fails", fails: true, want: []string{"works", "stopped", "released"}, within: 2 * time.Second, err: broken},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				lock := &fakeLock{}
				e := &election{releases: true, config: leaderelection.LeaderElectionConfig{
					Lock: lock, LeaseDuration: lease, RenewDeadline: renew, RetryPeriod: retry,
				}}
				ctx, stop := context.WithCancel(t.Context())
				defer stop()
				fail := make(chan struct{})
				time.AfterFunc(time.Minute, func() {
					lock.set(test.hangs)
					if test.back > 0 {
						time.AfterFunc(test.back, func() { lock.set(false) })
					}
					if test.told {
						stop()
					}
					if test.fails {
						close(fail)
					}
				})
				begin := time.Now()
				err := e.lead(ctx, func(ctx context.Context) error {
					lock.note("works")
					defer lock.note("stopped")
					select {
					case <-ctx.Done():
						time.Sleep(pass)
						return nil
					case <-fail:
						return broken
					}
				})
				if took := time.Since(begin) - time.Minute; took > test.within {
					t.Errorf("went on for %s, want at most %s", took, test.within)
				}
				if !errors.Is(err, test.err) || !slices.Equal(lock.happened, test.want) {
					t.Errorf("got %q, %v; want %q, %v", lock.happened, err, test.want, test.err)
				}
			})
		})
	}
}
