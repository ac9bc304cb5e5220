// Package controller holds the one worker loop of the project. The controllers themselves are in its subfolders.
package controller

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"
)

// Result is how a pass ended that has not failed.
type Result struct {
	// RequeueAfter is the time until the key is looked at again without anything having changed; 0 means never.
	RequeueAfter time.Duration
	// Terminal says that something is wrong that only an edit can heal.
	Terminal bool
}

// Backoff is how long a key that failed waits: Min, doubling with each failure up to Max.
type Backoff struct{ Min, Max time.Duration }

// Observer is told of every pass.
type Observer interface {
	// LoopStarted is called with the loop's name and the number of its workers before any of them works.
	LoopStarted(loop string, workers int)
	// ReconcileStarted is called with the loop's name before each pass.
	ReconcileStarted(loop string)
	// ObserveReconcile is called after it with the loop's name, what Sync returned and how long it took.
	ObserveReconcile(loop string, result Result, err error, took time.Duration)
}

// Options configure a [Loop].
type Options[K comparable] struct {
	// Name of the loop in logs and metrics.
	Name string
	// Workers is how many keys are worked on at a time.
	Workers int
	// Backoff applies to keys whose Sync returned an error.
	Backoff Backoff
	// Sync brings the world in line with what the key names now. It is never called twice at a time for a key. An
	// error means: again, later. What cannot be healed by trying again is not an error.
	Sync func(ctx context.Context, key K) (Result, error)
	// Observer may be nil.
	Observer Observer
	// Metrics of the queue; may be nil.
	Metrics workqueue.MetricsProvider
}

// Loop works on keys: each once at a time, again after a failure, and once more if it was added meanwhile.
type Loop[K comparable] struct {
	options Options[K]
	queue   workqueue.TypedRateLimitingInterface[K]
}

// NewLoop returns a loop that takes keys at once and works on them once it runs.
func NewLoop[K comparable](o Options[K]) *Loop[K] {
	limiter := workqueue.NewTypedMaxOfRateLimiter(
		workqueue.NewTypedItemExponentialFailureRateLimiter[K](o.Backoff.Min, o.Backoff.Max),
		// Many keys that fail together are not to come back together.
		&workqueue.TypedBucketRateLimiter[K]{Limiter: rate.NewLimiter(rate.Limit(50), 500)},
	)
	return &Loop[K]{
		options: o,
		queue: workqueue.NewTypedRateLimitingQueueWithConfig(limiter, workqueue.TypedRateLimitingQueueConfig[K]{
			Name:            o.Name,
			MetricsProvider: o.Metrics,
		}),
	}
}

// Add has key looked at as soon as a worker is free.
func (l *Loop[K]) Add(key K) { l.queue.Add(key) }

// Len is the number of keys that wait for a worker, without those that wait for their back-off.
func (l *Loop[K]) Len() int { return l.queue.Len() }

// Run works until ctx ends and returns when the workers have finished what they were doing.
func (l *Loop[K]) Run(ctx context.Context) {
	if l.options.Observer != nil {
		l.options.Observer.LoopStarted(l.options.Name, l.options.Workers)
	}
	var workers sync.WaitGroup
	for range l.options.Workers {
		workers.Go(func() {
			for l.next(ctx) {
			}
		})
	}
	<-ctx.Done()
	l.queue.ShutDown()
	workers.Wait()
}

// next works on one key and says whether there may be more.
func (l *Loop[K]) next(ctx context.Context) bool {
	key, shutdown := l.queue.Get()
	if shutdown {
		return false
	}
	defer l.queue.Done(key)
	if ctx.Err() != nil {
		return true // Empty the queue: the loop ends.
	}

	result, err := l.observe(ctx, key)
	switch {
	case err != nil && ctx.Err() == nil:
		logged := err
		if !IsPanic(err) { // Where it panicked comes last, and has a limit of its own.
			logged = CutError(err, MaxLogged)
		}
		klog.FromContext(ctx).Error(logged, "Sync failed, will try again", "loop", l.options.Name, "key", Cut(fmt.Sprint(key), MaxLogged))
		l.queue.AddRateLimited(key)
	case err == nil:
		l.queue.Forget(key)
		if result.RequeueAfter > 0 {
			l.queue.AddAfter(key, result.RequeueAfter)
		}
	}
	return true
}

// observe makes a pass and tells the observer.
func (l *Loop[K]) observe(ctx context.Context, key K) (Result, error) {
	if l.options.Observer == nil {
		return l.sync(ctx, key)
	}
	l.options.Observer.ReconcileStarted(l.options.Name)
	start := time.Now()
	result, err := l.sync(ctx, key)
	l.options.Observer.ObserveReconcile(l.options.Name, result, err, time.Since(start))
	return result, err
}

// errPanic marks a pass that panicked: one broken object is not to take the others down.
var errPanic = errors.New("panic")

// PassLimit is how long a pass may take: an API server that hangs is not to keep a worker for ever.
const PassLimit = 30 * time.Second

func (l *Loop[K]) sync(ctx context.Context, key K) (result Result, err error) {
	ctx, cancel := context.WithTimeout(ctx, PassLimit)
	defer cancel()
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %s\n%s", errPanic, Cut(fmt.Sprint(p), MaxLogged), debug.Stack())
		}
	}()
	return l.options.Sync(ctx, key)
}

// IsPanic says whether a pass failed because it panicked.
func IsPanic(err error) bool { return errors.Is(err, errPanic) }
