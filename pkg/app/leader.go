package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/leaderelection"
	"k8s.io/client-go/tools/leaderelection/resourcelock"
)

const (
	leaseName = "notification-controller-leader-election"
	// namespaceFile tells a Pod its namespace.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// election is for the Lease that the replicas share.
type election struct {
	config leaderelection.LeaderElectionConfig
}

func (a *App) newElection() (*election, error) {
	namespace, err := a.leaseNamespace()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("leader election: %w", err)
	}
	return &election{leaderelection.LeaderElectionConfig{
		Name: leaseName,
		Lock: &boundedLock{limit: a.options.RetryPeriod, Interface: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Name: leaseName, Namespace: namespace},
			Client:    a.clients.core.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{
				Identity:      host + "_" + rand.Text(),
				EventRecorder: a.events,
			},
		}},
		LeaseDuration:   a.options.LeaseDuration,
		RenewDeadline:   a.options.RenewDeadline,
		RetryPeriod:     a.options.RetryPeriod,
		ReleaseOnCancel: a.options.ReleaseOnCancel,
	}}, nil
}

// lead campaigns, works while it holds the Lease, and returns when the work has ended. When ctx ends, the Lease is given up
// after the work: another replica is not to begin before.
func (e *election) lead(ctx context.Context, work func(context.Context) error) error {
	campaign, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	started := make(chan struct{})
	done := make(chan error, 1)
	config := e.config
	config.Callbacks = leaderelection.LeaderCallbacks{
		OnStartedLeading: func(leading context.Context) {
			close(started)
			working, stop := context.WithCancel(ctx)
			defer stop()
			defer context.AfterFunc(leading, stop)()
			done <- work(working)
			giveUp()
		},
		OnStoppedLeading: func() {},
	}
	elector, err := leaderelection.NewLeaderElector(config)
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	defer context.AfterFunc(ctx, func() {
		select {
		case <-started: // The work ends, and then gives up.
		default:
			giveUp()
		}
	})()
	elector.Run(campaign)
	// The elector does not wait for its callback: two terms of the controllers must not overlap.
	select {
	case <-started:
		return <-done
	default:
		return nil
	}
}

// boundedLock is a lock whose calls end: client-go gives each the whole time for the renewal, also the one that releases
// the Lease, before the work is told to stop.
type boundedLock struct {
	resourcelock.Interface
	limit time.Duration
}

// Get implements [resourcelock.Interface], as the others do.
func (l *boundedLock) Get(ctx context.Context) (*resourcelock.LeaderElectionRecord, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	return l.Interface.Get(ctx)
}

// Create makes the Lease.
func (l *boundedLock) Create(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	return l.Interface.Create(ctx, record)
}

// Update writes the Lease.
func (l *boundedLock) Update(ctx context.Context, record resourcelock.LeaderElectionRecord) error {
	ctx, cancel := context.WithTimeout(ctx, l.limit)
	defer cancel()
	return l.Interface.Update(ctx, record)
}

// leaseNamespace is the Pod's namespace, or else RUNTIME_NAMESPACE.
func (a *App) leaseNamespace() (string, error) {
	if content, err := os.ReadFile(namespaceFile); err == nil {
		return strings.TrimSpace(string(content)), nil
	}
	if a.options.RuntimeNamespace != "" {
		return a.options.RuntimeNamespace, nil
	}
	return "", errors.New("--enable-leader-election outside a Pod needs RUNTIME_NAMESPACE")
}
