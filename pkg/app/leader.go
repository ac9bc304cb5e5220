package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"

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
		Lock: &resourcelock.LeaseLock{
			LeaseMeta: metav1.ObjectMeta{Name: leaseName, Namespace: namespace},
			Client:    a.clients.core.CoordinationV1(),
			LockConfig: resourcelock.ResourceLockConfig{
				Identity:      host + "_" + rand.Text(),
				EventRecorder: a.events,
			},
		},
		LeaseDuration:   a.options.LeaseDuration,
		RenewDeadline:   a.options.RenewDeadline,
		RetryPeriod:     a.options.RetryPeriod,
		ReleaseOnCancel: a.options.ReleaseOnCancel,
	}}, nil
}

// lead campaigns, works while it holds the Lease, and returns when it has lost it and the work has ended.
func (e *election) lead(ctx context.Context, work func(context.Context) error) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	started := make(chan struct{})
	done := make(chan error, 1)
	config := e.config
	config.Callbacks = leaderelection.LeaderCallbacks{
		OnStartedLeading: func(ctx context.Context) {
			close(started)
			err := work(ctx)
			done <- err
			if err != nil {
				cancel()
			}
		},
		OnStoppedLeading: func() {},
	}
	elector, err := leaderelection.NewLeaderElector(config)
	if err != nil {
		return fmt.Errorf("leader election: %w", err)
	}
	elector.Run(ctx)
	// The elector does not wait for its callback: two terms of the controllers must not overlap.
	select {
	case <-started:
		return <-done
	default:
		return nil
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
