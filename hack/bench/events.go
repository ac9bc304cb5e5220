package main

import (
	"context"
	"errors"
	"fmt"
)

// idle is a controller with nothing to do.
func (b *bench) idle(context.Context) ([]row, error) {
	var rows []row
	err := b.withController(func(p *process) error {
		m, err := p.memory()
		rows = append(rows, row{name: "idle memory", measured: m.String()})
		return err
	})
	return rows, err
}

// events are about one Alert each, of different numbers of them.
func (b *bench) events(ctx context.Context) ([]row, error) {
	bare, err := b.bareLoop(ctx)
	if err != nil {
		return nil, fmt.Errorf("bare loop: %w", err)
	}
	var rows []row
	for i, alerts := range b.config.alerts {
		to := b.has
		to.alerts = max(to.alerts, alerts)
		if err := b.grow(ctx, to); err != nil {
			return rows, err
		}
		r, err := b.eventsOf(ctx, alerts, b.config.events)
		if err != nil {
			return rows, fmt.Errorf("%d Alerts: %w", alerts, err)
		}
		of := fmt.Sprintf(", %d Alerts", alerts)
		rows = append(rows,
			row{"events/s" + of, bare.perSecond(), r.perSecond()},
			row{"CPU per event" + of, bare.perRequest(), r.perRequest()},
			row{"memory" + of, bare.after.String(), fmt.Sprintf("%s; before the load %s", r.after, r.before)},
			row{"answer p99" + of, bare.percentile(99), r.percentile(99)},
		)
		if i > 0 {
			continue
		}
		const notifications = 3000
		if r, err = b.eventsOf(ctx, alerts, notifications); err != nil {
			return rows, err
		}
		rows = append(rows, row{
			fmt.Sprintf("connections, %d notifications", notifications), fmt.Sprint(bare.connections), fmt.Sprint(r.connections),
		})
	}
	return rows, nil
}

// eventsOf measures a controller of its own.
func (b *bench) eventsOf(ctx context.Context, alerts, events int) (r result, err error) {
	err = b.withController(func(p *process) (err error) {
		r, err = b.eventLoad(ctx, p, events, b.has.anyApp(alerts))
		return err
	}, roomy()...)
	return r, err
}

func (b *bench) bareLoop(ctx context.Context) (result, error) {
	free, err := freeAddresses(2)
	if err != nil {
		return result{}, err
	}
	p := &process{events: free[0], health: free[1]}
	if err := launch(nil, p, b.self, bareCommand, p.events, p.health, b.sink.url()); err != nil {
		return result{}, err
	}
	r, err := b.eventLoad(ctx, p, b.config.events, b.has.anyApp(1))
	return r, errors.Join(err, p.stop())
}
