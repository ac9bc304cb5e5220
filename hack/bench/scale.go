package main

import (
	"context"
	"fmt"
	"time"
)

// atScale measures a small cluster and then a large one, with the same load: about the objects of the small one.
func (b *bench) atScale(ctx context.Context) ([]row, error) {
	const few = 100
	share := func(n int) int { return max(int(float64(n)*b.config.scale), few) }
	large := population{
		namespaces: max(int(200*b.config.scale), 1), providers: share(5000), alerts: share(50_000), receivers: share(10_000), repositories: few, secrets: share(20_000),
	}
	small := population{namespaces: large.namespaces, providers: few, alerts: few, receivers: few, repositories: few}
	var rows []row
	for _, p := range []population{small, large} {
		if err := b.grow(ctx, p); err != nil {
			return rows, err
		}
		measured, err := b.population(ctx, p, few)
		rows = append(rows, measured...)
		if err != nil {
			return rows, err
		}
	}
	return rows, nil
}

// population measures two starts, of which the first writes the status of Receivers, and a load after the second.
func (b *bench) population(ctx context.Context, has population, used int) ([]row, error) {
	of := fmt.Sprintf(", %d Alerts, %d Providers, %d Receivers, %d Secrets", has.alerts, has.providers, has.receivers, has.secrets)
	begin := time.Now()
	if err := b.withController(func(*process) error { return b.waitReceivers(ctx) }); err != nil {
		return nil, err
	}
	progress("all Receivers had a status after %s", time.Since(begin).Round(time.Second))
	p, err := b.launchController(roomy()...)
	if err != nil {
		return nil, err
	}
	rows := []row{{name: "start to ready" + of, measured: p.ready.Round(10 * time.Millisecond).String()}}
	defer func() { _ = p.stop() }() // What was to be measured has been.
	if err := p.settle(); err != nil {
		return rows, err
	}
	cpu, err := p.cpu()
	if err != nil {
		return rows, err
	}
	rows = append(rows, row{name: "CPU of the start" + of, measured: cpu.String()})
	events, err := b.eventLoad(ctx, p, b.config.events, has.anyApp(used))
	if err != nil {
		return rows, err
	}
	paths := has.paths(used)
	if err := b.warmUp(ctx, p, paths); err != nil {
		return rows, err
	}
	webhooks, err := b.webhookLoad(ctx, p, paths)
	return append(rows,
		row{name: "memory" + of, measured: fmt.Sprintf("%s; before the load %s", events.after, events.before)},
		row{name: "events/s" + of, measured: events.perSecond()},
		row{name: "CPU per event" + of, measured: events.perRequest()},
		row{name: "webhooks/s" + of, measured: webhooks},
	), err
}
