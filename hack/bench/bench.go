package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"time"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"

	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned"
)

// bench is a control plane with a sink beside it.
type bench struct {
	config  config
	cp      *apitest.ControlPlane
	core    kubernetes.Interface
	ours    versioned.Interface
	dynamic dynamic.Interface
	meta    metadata.Interface
	sink    *sink
	self    string
	// has is what the cluster holds.
	has population
}

func newBench(c config) (*bench, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	cp, err := apitest.StartShared()
	if err != nil {
		return nil, err
	}
	b := &bench{config: c, cp: cp, self: self}
	b.core = kubernetes.NewForConfigOrDie(cp.Config())
	b.ours = versioned.NewForConfigOrDie(cp.Config())
	b.dynamic = dynamic.NewForConfigOrDie(cp.Config())
	b.meta = metadata.NewForConfigOrDie(cp.Config())
	b.sink, err = newSink(0)
	return b, err
}

func (b *bench) close() {
	if err := errors.Join(b.sink.close(), b.cp.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// group is a part of the table that can be measured by itself.
type group struct {
	name    string
	measure func(*bench, context.Context) ([]row, error)
}

// groups are in the order in which they are measured: from an empty cluster to a full one.
func groups() []group {
	return []group{
		{"idle", (*bench).idle},
		{"events", (*bench).events},
		{"webhooks", (*bench).webhooks},
		{"wildcard", (*bench).wildcard},
		{"hang", (*bench).hang},
		{"dead", (*bench).dead},
		{"term", (*bench).term},
		{"kill", (*bench).kill},
	}
}

func groupNames() []string {
	var names []string
	for _, g := range groups() {
		names = append(names, g.name)
	}
	return names
}

// measure returns the rows that it got, also with an error.
func (b *bench) measure(ctx context.Context) ([]row, error) {
	if err := b.install(); err != nil {
		return nil, err
	}
	if b.config.scale > 0 {
		return b.atScale(ctx)
	}
	if err := b.grow(ctx, population{namespaces: 1, providers: 1}); err != nil {
		return nil, err
	}
	var rows []row
	var errs []error
	for _, g := range groups() {
		if len(b.config.rows) > 0 && !slices.Contains(b.config.rows, g.name) {
			continue
		}
		begin := time.Now()
		measured, err := g.measure(b, ctx)
		progress("measured %s in %s", g.name, time.Since(begin).Round(time.Second))
		rows = append(rows, measured...)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", g.name, err))
		}
	}
	return rows, errors.Join(errs...)
}

// progress says how far it is.
func progress(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "bench: "+format+"\n", args...)
}

func (b *bench) install() error {
	for _, args := range [][]string{
		{"apply", "-k", "manifests"},
		{"apply", "-f", "hack/testdata/crds"},
		{"wait", "--for=condition=Established", "crd", "--all"},
	} {
		if _, err := b.cp.TryKubectl("", args...); err != nil {
			return fmt.Errorf("kubectl %v: %w", args, err)
		}
	}
	return nil
}

// grow creates what the cluster lacks of a population.
func (b *bench) grow(ctx context.Context, to population) error {
	if err := b.populate(ctx, b.has, to); err != nil {
		return fmt.Errorf("create objects: %w", err)
	}
	b.has = to
	return nil
}

// freeAddresses returns loopback addresses that nobody listens on.
func freeAddresses(n int) ([]string, error) {
	var addresses []string
	for range n {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		defer listener.Close()
		addresses = append(addresses, listener.Addr().String())
	}
	return addresses, nil
}

// roomy are flags that let a queue take a whole run: what is to be measured is not how fast the sink is.
func roomy() []string { return []string{"--provider-queue-size=100000", "--queue-size=100000"} }

// launchController starts the controller and waits until it is ready.
func (b *bench) launchController(flags ...string) (*process, error) {
	free, err := freeAddresses(4)
	if err != nil {
		return nil, err
	}
	p := &process{events: free[0], webhooks: free[1], health: free[2], metrics: free[3]}
	args := []string{
		"--events-addr=" + p.events, "--receiverAddr=" + p.webhooks, "--health-addr=" + p.health, "--metrics-addr=" + p.metrics,
		"--log-level=error", "--shutdown-delay=0",
	}
	args = slices.Concat(args, flags, b.config.flags)
	return p, launch([]string{"KUBECONFIG=" + b.cp.Kubeconfig()}, p, b.config.binary, args...)
}

// withController calls measure with a controller that has come to rest, and stops it then.
func (b *bench) withController(measure func(*process) error, flags ...string) error {
	p, err := b.launchController(flags...)
	if err != nil {
		return err
	}
	if err := p.settle(); err != nil {
		return errors.Join(err, p.stop())
	}
	return errors.Join(measure(p), p.stop())
}

// load measures what a process does for one load, which returns latencies and how many notifications have arrived.
func (b *bench) load(p *process, do func() ([]time.Duration, int, error)) (result, error) {
	var r result
	b.sink.reset()
	cpu, err := p.cpu()
	if err != nil {
		return r, err
	}
	if r.before, err = p.memory(); err != nil {
		return r, err
	}
	begin := time.Now()
	if r.latencies, r.delivered, err = do(); err != nil {
		return r, err
	}
	r.took = time.Since(begin)
	if r.cpu, err = p.cpu(); err != nil {
		return r, err
	}
	r.cpu -= cpu
	r.connections = int(b.sink.connections.Load())
	r.after, err = p.memory()
	return r, err
}

// eventLoad sends n events and waits for their notifications.
func (b *bench) eventLoad(ctx context.Context, p *process, n int, name naming) (result, error) {
	r, err := b.load(p, func() ([]time.Duration, int, error) {
		latencies, err := fire(ctx, n, b.config.concurrency, eventRequest(p.events, name))
		return latencies, b.sink.wait(ctx, n), err
	})
	if err == nil && r.delivered != n {
		err = fmt.Errorf("%d of %d notifications have arrived", r.delivered, n)
	}
	return r, err
}
