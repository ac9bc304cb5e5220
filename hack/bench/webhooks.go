package main

import (
	"context"
	"fmt"
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

// webhookConcurrency is how many webhooks are sent at a time.
const webhookConcurrency = 16

// webhooks are signed pushes to as many Receivers as there are, and then as many to one of them.
func (b *bench) webhooks(ctx context.Context) ([]row, error) {
	to := b.has
	to.receivers, to.repositories = b.config.receivers, b.config.receivers
	if err := b.grow(ctx, to); err != nil {
		return nil, err
	}
	paths := to.paths(to.receivers)
	var rows []row
	err := b.withController(func(p *process) error {
		if err := b.warmUp(ctx, p, paths); err != nil {
			return err
		}
		for _, target := range []struct {
			name  string
			paths []string
		}{
			{fmt.Sprintf("webhooks/s, %d Receivers", len(paths)), paths},
			{"webhooks/s, one Receiver", paths[:1]},
		} {
			measured, err := b.webhookLoad(ctx, p, target.paths)
			if err != nil {
				return err
			}
			rows = append(rows, row{name: target.name, measured: measured})
		}
		return nil
	})
	return rows, err
}

// warmUp waits until the Receivers are ready and their objects have been read, before which calls are answered 503.
func (b *bench) warmUp(ctx context.Context, p *process, paths []string) error {
	if err := b.waitReceivers(ctx); err != nil {
		return err
	}
	for deadline := time.Now().Add(readyTimeout); ; time.Sleep(50 * time.Millisecond) {
		_, err := fire(ctx, 1, 1, webhookRequest(p.webhooks, paths))
		if err == nil {
			return p.settle()
		}
		if time.Now().After(deadline) {
			return err
		}
	}
}

// webhookLoad sends webhooks to the paths in turn, all of which have to be answered with a 2xx, and waits until each
// object is annotated.
func (b *bench) webhookLoad(ctx context.Context, p *process, paths []string) (string, error) {
	since := time.Now()
	r, err := b.load(p, func() ([]time.Duration, int, error) {
		latencies, err := fire(ctx, b.config.webhooks, webhookConcurrency, webhookRequest(p.webhooks, paths))
		return latencies, 0, err
	})
	if err != nil {
		return "", err
	}
	objects := min(len(paths), b.config.webhooks)
	annotated, err := b.waitAnnotated(ctx, objects, "", since)
	return fmt.Sprintf("%s (p99 %s), %s each, all 2xx, %d of %d annotated",
		r.perSecond(), r.percentile(99), r.perRequest(), annotated, objects), err
}

// wildcard is one webhook for many objects.
func (b *bench) wildcard(ctx context.Context) ([]row, error) {
	to := b.has
	to.receivers = max(to.receivers, 1) // It has the Secret created.
	if err := b.grow(ctx, to); err != nil {
		return nil, err
	}
	namespace := namespaceOf(0, 1)
	labels := map[string]any{team: team}
	if err := parallel(0, b.config.objects, func(i int) error {
		return b.createRepository(ctx, namespace, fmt.Sprintf("labelled-%d", i), labels)
	}); err != nil {
		return nil, err
	}
	receiver := receiverFor(namespace, "all", v1.CrossNamespaceObjectReference{Kind: "GitRepository", Name: "*", MatchLabels: map[string]string{team: team}})
	if err := b.createReceiver(ctx, receiver); err != nil {
		return nil, err
	}
	path := []string{receiver.WebhookPathFor(token)}
	var rows []row
	err := b.withController(func(p *process) error {
		if err := b.warmUp(ctx, p, path); err != nil {
			return err
		}
		begin := time.Now()
		latencies, err := fire(ctx, 1, 1, webhookRequest(p.webhooks, path))
		if err != nil {
			return err
		}
		annotated, err := b.waitAnnotated(ctx, b.config.objects, team, begin)
		rows = append(rows, row{name: fmt.Sprintf("one webhook for %d objects", b.config.objects), measured: fmt.Sprintf(
			"answered in %s, %d of %d annotated after %s", latencies[0].Round(100*time.Microsecond), annotated, b.config.objects, time.Since(begin).Round(100*time.Millisecond))})
		return err
	})
	return rows, err
}
