package app

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/server"
)

const (
	// serverShutdown is how long requests under way may take after SIGTERM.
	serverShutdown = 5 * time.Second
	// objectsLimit is how long a start waits for the objects of other controllers. What cannot be read is not to hold up
	// what does not need it.
	objectsLimit = 10 * time.Second
	// readyPoll is the time between two looks at whether everything has been read.
	readyPoll = 20 * time.Millisecond
)

// Run serves until ctx ends, and then finishes what has been accepted, within the shutdown timeout. It returns an
// error if a server or the leader election cannot go on.
func (a *App) Run(ctx context.Context) error {
	// What is accepted before the signal is finished after it: the caches have to live longer than ctx.
	life, end := context.WithCancel(context.WithoutCancel(ctx))
	// Whatever cannot go on ends the rest.
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)

	var background, annotating sync.WaitGroup
	annotate, endAnnotate := context.WithCancel(life)
	annotating.Go(func() { a.annotate.Run(klog.NewContext(annotate, a.log.WithName(receiverLogger))) })
	a.broadcaster.StartRecordingToSink(&corev1client.EventSinkImpl{Interface: a.clients.core.CoreV1().Events("")})
	a.informers.run(life, background.Go)
	background.Go(func() { a.objects.Run(life) })
	background.Go(func() { a.deliveries.Run(klog.NewContext(life, a.log.WithName("delivery"))) })
	background.Go(func() {
		if err := a.secrets.Run(life); err != nil {
			stop(err)
		}
	})
	for _, s := range a.servers() {
		background.Go(func() {
			if err := s.Serve(); err != nil {
				stop(err)
			}
		})
	}
	var reconcilers sync.WaitGroup
	reconcilers.Go(func() {
		if !a.waitSynced(ctx) {
			return
		}
		a.ready.Store(true)
		// What it took to start is never needed again: schemas that a library compiles, the first lists.
		debug.FreeOSMemory()
		a.log.Info("Ready", "events", a.EventsAddress(), "webhooks", a.ReceiverAddress(), "metrics", a.MetricsAddress(), "health", a.HealthAddress())
		if err := a.reconcile(ctx); err != nil {
			stop(err)
		}
	})

	<-ctx.Done()
	cause := context.Cause(ctx)
	a.shutdown(func() {
		endAnnotate()
		annotating.Wait()
	})
	reconcilers.Wait()
	end()
	a.stopServing()
	a.broadcaster.Shutdown()
	background.Wait()
	if errors.Is(cause, context.Canceled) {
		return nil
	}
	return cause
}

// waitSynced waits until the caches, and the Secrets that are referred to, have been read. For a while it waits for the
// objects of other controllers, too: without their labels an event is accepted and matches nothing.
func (a *App) waitSynced(ctx context.Context) bool {
	synced := []cache.InformerSynced{a.informers.secrets.HasSynced}
	for _, registration := range a.registrations {
		synced = append(synced, registration.HasSynced)
	}
	if !cache.WaitForNamedCacheSyncWithContext(ctx, synced...) {
		return false
	}
	if !poll(ctx, a.secrets.Attempted) {
		return false
	}
	limited, cancel := context.WithTimeout(ctx, objectsLimit)
	defer cancel()
	if !poll(limited, a.objects.Attempted) && ctx.Err() == nil {
		a.log.Info("Not all objects that Alerts and Receivers name have been read yet; going on without them", "waited", objectsLimit)
	}
	return ctx.Err() == nil
}

// poll waits until done is true, which it returns, or ctx ends.
func poll(ctx context.Context, done func() bool) bool {
	ticker := time.NewTicker(readyPoll)
	defer ticker.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			return false
		case <-ticker.C:
		}
	}
	return true
}

// shutdown takes nothing more, once it can be known to nobody, and finishes what has been accepted. endAnnotate hands the
// annotations that wait over to their drain.
func (a *App) shutdown(endAnnotate func()) {
	a.log.Info("Shutting down")
	ctx, cancel := context.WithTimeout(context.Background(), a.options.ShutdownTimeout)
	defer cancel()
	a.stopping.Store(true)
	a.linger()
	a.stopped.Store(true)
	serving, cancelServing := context.WithTimeout(ctx, serverShutdown)
	defer cancelServing()

	var servers sync.WaitGroup
	for _, s := range []interface{ Shutdown(context.Context) error }{a.eventServer, a.receiverServer} {
		servers.Go(func() { a.logError(s.Shutdown(serving)) })
	}
	servers.Wait()

	var drains sync.WaitGroup
	drains.Go(func() {
		if lost := a.queue.Drain(ctx); lost > 0 {
			a.log.Error(nil, "Notifications were not sent before the shutdown timeout", "count", lost)
		}
	})
	drains.Go(func() {
		endAnnotate()
		if left := a.annotate.Drain(klog.NewContext(ctx, a.log.WithName(receiverLogger))); left > 0 {
			a.log.Error(nil, "Objects were not annotated before the shutdown timeout", "count", left)
		}
	})
	drains.Wait()
}

// linger serves on: it takes the cluster a moment to see that this Pod is ending, and whoever calls meanwhile would be
// refused the connection. Few senders of webhooks try again.
func (a *App) linger() {
	for _, s := range []*server.Server{a.eventServer, a.receiverServer} {
		// Those that are connected look for another replica now.
		s.StopKeepAlives()
	}
	time.Sleep(min(a.options.ShutdownDelay, a.options.ShutdownTimeout/2))
}

// accepts says whether events and webhooks are taken.
func (a *App) accepts() bool { return a.ready.Load() && !a.stopped.Load() }

// stopServing closes what was to be seen until the end.
func (a *App) stopServing() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	a.logError(errors.Join(a.metricsServer.Shutdown(ctx), a.healthServer.Shutdown(ctx)))
}

func (a *App) logError(err error) {
	if err != nil {
		a.log.Error(err, "Shutdown")
	}
}

func (a *App) servers() []interface{ Serve() error } {
	return []interface{ Serve() error }{a.eventServer, a.receiverServer, a.metricsServer, a.healthServer}
}

// reconcile runs the controllers until ctx ends: always, or while this replica holds the Lease.
func (a *App) reconcile(ctx context.Context) error {
	if !a.options.LeaderElection {
		return a.runControllers(ctx)
	}
	election, err := a.newElection()
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		// Losing the Lease ends the controllers only: events and webhooks are served by every replica, and this one
		// campaigns again.
		if err := election.lead(ctx, a.runControllers); err != nil {
			return err
		}
	}
	return nil
}

// runControllers runs one term of the controllers.
func (a *App) runControllers(ctx context.Context) error {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	var running sync.WaitGroup
	for name, run := range a.controllers() {
		running.Go(func() {
			if err := run(klog.NewContext(ctx, a.log.WithName(name))); err != nil {
				stop(fmt.Errorf("controller %s: %w", name, err))
			}
		})
	}
	running.Wait()
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return nil
}
