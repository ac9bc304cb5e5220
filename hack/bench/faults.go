package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"syscall"
	"time"
)

// route creates an Alert for one Kustomization and its Provider, a sink that takes its time to answer.
func (b *bench) route(ctx context.Context, name string, delay time.Duration) (*sink, naming, error) {
	s, err := newSink(delay)
	if err != nil {
		return nil, nil, err
	}
	namespace := namespaceOf(0, 1)
	err = b.createProvider(ctx, providerFor(namespace, name, s.url()))
	if err == nil {
		err = b.createAlert(ctx, alertFor(namespace, name, name, name))
	}
	if err != nil {
		return nil, nil, errors.Join(err, s.close())
	}
	return s, func(int) (string, string) { return namespace, name }, nil
}

// hang sends an event while the API server does not answer.
func (b *bench) hang(ctx context.Context) ([]row, error) {
	s, app, err := b.route(ctx, "hang", 0)
	if err != nil {
		return nil, err
	}
	defer s.close()
	var rows []row
	err = b.withController(func(p *process) error {
		if err := b.cp.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		latencies, err := fire(ctx, 1, 1, eventRequest(p.events, app))
		if err == nil {
			rows = append(rows, row{name: "event while the API server hangs", measured: fmt.Sprintf(
				"in %s, %d of 1 delivered", latencies[0].Round(100*time.Microsecond), s.wait(ctx, 1))})
		}
		return errors.Join(err, b.cp.Signal(syscall.SIGCONT))
	})
	return rows, err
}

// dead sends events for a Provider whose endpoint never answers, and then some for another one. The queues are as
// large as they are by default.
func (b *bench) dead(ctx context.Context) ([]row, error) {
	const events, others, never = 3000, 200, time.Hour
	s, app, err := b.route(ctx, "dead", never)
	if err != nil {
		return nil, err
	}
	defer s.close()
	works, other, err := b.route(ctx, "works", 0)
	if err != nil {
		return nil, err
	}
	defer works.close()
	var rows []row
	err = b.withController(func(p *process) error {
		before, err := p.memory()
		if err != nil {
			return err
		}
		if _, err := fire(ctx, events, b.config.concurrency, eventRequest(p.events, app)); err != nil {
			return err
		}
		goroutines, err := p.metric("go_goroutines")
		if err != nil {
			return err
		}
		after, err := p.memory()
		if err != nil {
			return err
		}
		begin := time.Now()
		if _, err := fire(ctx, others, b.config.concurrency, eventRequest(p.events, other)); err != nil {
			return err
		}
		delivered := works.wait(ctx, others)
		rows = append(rows,
			row{name: fmt.Sprintf("%d events, no answer", events), measured: fmt.Sprintf("%d goroutines, %+d MiB", goroutines, (after.resident-before.resident)>>10)},
			row{name: fmt.Sprintf("another Provider's %d meanwhile", others), measured: fmt.Sprintf("%d within %s", delivered, time.Since(begin).Round(time.Millisecond))},
		)
		return nil
	}, "--shutdown-timeout=1s")
	return rows, err
}

// term tells the controller to end while it sends to an endpoint that takes its time.
func (b *bench) term(ctx context.Context) ([]row, error) {
	const sends, takes = 40, 3 * time.Second
	s, app, err := b.route(ctx, "slow", takes)
	if err != nil {
		return nil, err
	}
	defer s.close()
	err = b.withController(func(p *process) error {
		_, err := fire(ctx, sends, b.config.concurrency, eventRequest(p.events, app))
		return err
	})
	return []row{{name: fmt.Sprintf("SIGTERM, %d sends of 3 s", sends), measured: fmt.Sprintf("%d of %d", s.requests.Load(), sends)}}, err
}

// kill kills the controller while notifications wait for an endpoint that is out of order, and looks what arrives after
// the restart.
func (b *bench) kill(ctx context.Context) ([]row, error) {
	const events = 200
	s, app, err := b.route(ctx, "broken", 0)
	if err != nil {
		return nil, err
	}
	defer s.close()
	s.status.Store(http.StatusServiceUnavailable)
	p, err := b.launchController()
	if err != nil {
		return nil, err
	}
	_, err = fire(ctx, events, b.config.concurrency, eventRequest(p.events, app))
	queued, metricErr := p.metric("notification_queue_depth")
	if err := errors.Join(err, metricErr, p.kill()); err != nil {
		return nil, err
	}
	s.status.Store(http.StatusOK)
	s.reset()
	err = b.withController(func(*process) error { return nil })
	return []row{{name: fmt.Sprintf("SIGKILL after %d events", events), measured: fmt.Sprintf(
		"%d of %d after the restart; %d were queued", s.requests.Load(), events, queued)}}, err
}
