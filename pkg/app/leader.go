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
	"k8s.io/klog/v2"
)

const (
	leaseName = "notification-controller-leader-election"
	// releaseLimit is how long it may take to give the Lease up.
	releaseLimit = 3 * time.Second
	// namespaceFile tells a Pod its namespace.
	namespaceFile = "/var/run/secrets/kubernetes.io/serviceaccount/namespace"
)

// election is for the Lease that the replicas share.
type election struct {
	config leaderelection.LeaderElectionConfig
	// releases says that the Lease is given up after a term.
	releases bool
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
	return &election{releases: a.options.ReleaseOnCancel, config: leaderelection.LeaderElectionConfig{
		Name: leaseName,
		Lock: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Name: leaseName, Namespace: namespace},
			Client:    a.clients.core.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{
				Identity:      host + "_" + rand.Text(),
				EventRecorder: a.events,
			},
		},
		LeaseDuration: a.options.LeaseDuration,
		RenewDeadline: a.options.RenewDeadline,
		RetryPeriod:   a.options.RetryPeriod,
	}}, nil
}

// lead campaigns, works while it holds the Lease, and returns when the work has ended. Only then is the Lease given
// up: another replica is not to begin before.
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
		err := <-done
		if e.releases {
			e.release(ctx)
		}
		return err
	default:
		return nil
	}
}

// release gives the Lease up, so that another replica need not wait until it runs out. client-go would do so before the work
// has ended.
func (e *election) release(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), releaseLimit)
	defer cancel()
	lock := e.config.Lock
	record, _, err := lock.Get(ctx)
	if err != nil || record.HolderIdentity != lock.Identity() {
		return
	}
	now := metav1.Now()
	err = lock.Update(ctx, resourcelock.LeaderElectionRecord{
		LeaderTransitions: record.LeaderTransitions, LeaseDurationSeconds: 1, AcquireTime: now, RenewTime: now,
	})
	if err != nil {
		klog.FromContext(ctx).Info("Could not give the Lease up; another replica has to wait until it runs out", "reason", err.Error())
	}
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
