package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

const (
	namespace = "bench"
	token     = "bench-token"
	// creators is how many objects are created at a time.
	creators = 16
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
	b.sink, err = newSink()
	return b, err
}

func (b *bench) close() {
	if err := errors.Join(b.sink.server.Close(), b.cp.Close()); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// measure returns the rows that it got, also with an error.
func (b *bench) measure(ctx context.Context) ([]row, error) {
	if err := b.install(); err != nil {
		return nil, err
	}
	bareRow, err := b.measureBare(ctx)
	if err != nil {
		return nil, fmt.Errorf("bare loop: %w", err)
	}
	rows := []row{bareRow}
	have := 0
	for _, alerts := range b.config.alerts {
		fmt.Fprintf(os.Stderr, "bench: events with %d Alerts\n", alerts)
		if err := b.createAlerts(ctx, have, alerts); err != nil {
			return rows, err
		}
		have = alerts
		r, err := b.measureEvents(ctx, alerts)
		if err != nil {
			return rows, fmt.Errorf("%d Alerts: %w", alerts, err)
		}
		rows = append(rows, r)
	}
	fmt.Fprintf(os.Stderr, "bench: webhooks for %d Receivers\n", b.config.receivers)
	if err := b.createReceivers(ctx); err != nil {
		return rows, err
	}
	webhooks, err := b.measureWebhooks(ctx)
	return append(rows, webhooks...), err
}

func (b *bench) install() error {
	for _, args := range [][]string{
		{"apply", "-k", "manifests"},
		{"apply", "-f", "hack/testdata/crds"},
		{"wait", "--for=condition=Established", "crd", "--all"},
		{"create", "namespace", namespace},
	} {
		if _, err := b.cp.TryKubectl("", args...); err != nil {
			return fmt.Errorf("kubectl %v: %w", args, err)
		}
	}
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

func (b *bench) launchController() (*process, error) {
	free, err := freeAddresses(4)
	if err != nil {
		return nil, err
	}
	p := &process{events: free[0], webhooks: free[1], health: free[2]}
	return p, launch([]string{"KUBECONFIG=" + b.cp.Kubeconfig()}, p, b.config.binary,
		"--events-addr="+free[0], "--receiverAddr="+free[1], "--health-addr="+free[2], "--metrics-addr="+free[3],
		"--provider-queue-size=100000", "--queue-size=100000", "--log-level=error")
}

func (b *bench) measureBare(ctx context.Context) (row, error) {
	free, err := freeAddresses(2)
	if err != nil {
		return row{}, err
	}
	p := &process{events: free[0], health: free[1]}
	if err := launch(nil, p, b.self, bareCommand, p.events, p.health, b.sink.url()); err != nil {
		return row{}, err
	}
	r, err := b.load(ctx, p, "bare decode and forward", func() ([]time.Duration, int, error) {
		latencies, err := fire(ctx, b.config.events, b.config.concurrency, eventRequest(p.events, 1))
		return latencies, b.sink.wait(ctx, b.config.events), err
	})
	return r, errors.Join(err, p.stop())
}

func (b *bench) measureEvents(ctx context.Context, alerts int) (row, error) {
	p, err := b.launchController()
	if err != nil {
		return row{}, err
	}
	r, err := b.load(ctx, p, fmt.Sprintf("events, %d Alerts", alerts), func() ([]time.Duration, int, error) {
		latencies, err := fire(ctx, b.config.events, b.config.concurrency, eventRequest(p.events, alerts))
		return latencies, b.sink.wait(ctx, b.config.events), err
	})
	return r, errors.Join(err, p.stop())
}

// load measures what a process does for one load, which returns latencies and what has arrived.
func (b *bench) load(_ context.Context, p *process, name string, do func() ([]time.Duration, int, error)) (row, error) {
	if err := p.settle(); err != nil {
		return row{}, err
	}
	b.sink.reset()
	before, err := p.cpu()
	if err != nil {
		return row{}, err
	}
	begin := time.Now()
	latencies, delivered, err := do()
	if err != nil {
		return row{}, err
	}
	took := time.Since(begin)
	after, err := p.cpu()
	if err != nil {
		return row{}, err
	}
	memory, err := p.memory()
	return row{
		name: name, count: len(latencies), took: took, latencies: latencies, cpu: after - before, memory: memory,
		connections: int(b.sink.connections.Load()), delivered: delivered,
	}, err
}

// measureWebhooks spreads webhooks over all Receivers, and then sends as many to one.
func (b *bench) measureWebhooks(ctx context.Context) ([]row, error) {
	p, err := b.launchController()
	if err != nil {
		return nil, err
	}
	rows, err := b.webhookRows(ctx, p)
	return rows, errors.Join(err, p.stop())
}

func (b *bench) webhookRows(ctx context.Context, p *process) ([]row, error) {
	paths, err := b.receiverPaths(ctx)
	if err != nil {
		return nil, err
	}
	// The first call of a kind is refused until its objects have been read.
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); time.Sleep(50 * time.Millisecond) {
		if _, err = fire(ctx, 1, 1, webhookRequest(p.webhooks, paths)); err == nil {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	const concurrency = 16
	var rows []row
	for _, target := range []struct {
		name  string
		paths []string
	}{
		{fmt.Sprintf("webhooks, %d Receivers", len(paths)), paths},
		{"webhooks, one Receiver", paths[:1]},
	} {
		since := time.Now()
		r, err := b.load(ctx, p, target.name, func() ([]time.Duration, int, error) {
			latencies, err := fire(ctx, b.config.webhooks, concurrency, webhookRequest(p.webhooks, target.paths))
			return latencies, 0, err
		})
		if err != nil {
			return rows, err
		}
		annotated, err := b.waitAnnotated(ctx, len(target.paths), since)
		if err != nil {
			return rows, err
		}
		r.name += fmt.Sprintf(" (%d objects annotated)", annotated)
		r.delivered = r.count
		rows = append(rows, r)
	}
	return rows, nil
}

// waitAnnotated waits until n objects have been annotated since then.
func (b *bench) waitAnnotated(ctx context.Context, n int, since time.Time) (int, error) {
	repositories := schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
	annotated := 0
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		list, err := b.meta.Resource(repositories).Namespace(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return 0, err
		}
		annotated = 0
		for _, object := range list.Items {
			at, err := time.Parse(time.RFC3339Nano, object.Annotations["reconcile.fluxcd.io/requestedAt"])
			if err == nil && !at.Before(since) {
				annotated++
			}
		}
		if annotated >= n {
			break
		}
	}
	return annotated, nil
}

// parallel calls create for from to to, several at a time.
func parallel(from, to int, create func(i int) error) error {
	errs := make([]error, creators)
	var workers sync.WaitGroup
	for worker := range creators {
		workers.Go(func() {
			for i := from + worker; i < to && errs[worker] == nil; i += creators {
				errs[worker] = create(i)
			}
		})
	}
	workers.Wait()
	return errors.Join(errs...)
}

// createAlerts creates the Alerts that are missing, each for another object, and their one Provider.
func (b *bench) createAlerts(ctx context.Context, have, want int) error {
	client := b.ours.NotificationV1beta3()
	if have == 0 {
		p := &v1beta3.Provider{ObjectMeta: metav1.ObjectMeta{Name: "sink"}, Spec: v1beta3.ProviderSpec{Type: "generic", Address: b.sink.url()}}
		if _, err := client.Providers(namespace).Create(ctx, p, metav1.CreateOptions{}); err != nil {
			return err
		}
	}
	return parallel(have, want, func(i int) error {
		a := &v1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Name: fmt.Sprintf("alert-%d", i)}, Spec: v1beta3.AlertSpec{
			ProviderRef:  v1beta3.LocalObjectReference{Name: "sink"},
			EventSources: []v1beta3.CrossNamespaceObjectReference{{Kind: "Kustomization", Name: fmt.Sprintf("app-%d", i)}},
			// An expression to run on every message, as real Alerts have.
			ExclusionList: []string{"^Dependencies do not meet ready condition"},
		}}
		_, err := client.Alerts(namespace).Create(ctx, a, metav1.CreateOptions{})
		return err
	})
}

func (b *bench) createReceivers(ctx context.Context) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: "token"}, StringData: map[string]string{"token": token}}
	if _, err := b.core.CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{}); err != nil {
		return err
	}
	repositories := schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
	return parallel(0, b.config.receivers, func(i int) error {
		name := fmt.Sprintf("repo-%d", i)
		object := &unstructured.Unstructured{Object: map[string]any{
			"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
			"metadata": map[string]any{"name": name},
			"spec":     map[string]any{"interval": "1h", "url": "https://example.com/" + name},
		}}
		if _, err := b.dynamic.Resource(repositories).Namespace(namespace).Create(ctx, object, metav1.CreateOptions{}); err != nil {
			return err
		}
		r := &v1.Receiver{ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1.ReceiverSpec{
			Type: "github", SecretRef: &v1.LocalObjectReference{Name: "token"}, Events: []string{"push"},
			Resources: []v1.ResourceReference{{CrossNamespaceObjectReference: v1.CrossNamespaceObjectReference{Kind: "GitRepository", Name: name}}},
		}}
		_, err := b.ours.NotificationV1().Receivers(namespace).Create(ctx, r, metav1.CreateOptions{})
		return err
	})
}

// receiverPaths waits until all Receivers have a path.
func (b *bench) receiverPaths(ctx context.Context) ([]string, error) {
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); time.Sleep(200 * time.Millisecond) {
		list, err := b.ours.NotificationV1().Receivers(namespace).List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		var paths []string
		for _, r := range list.Items {
			if r.Status.WebhookPath != "" {
				paths = append(paths, r.Status.WebhookPath)
			}
		}
		if len(paths) == b.config.receivers {
			return paths, nil
		}
	}
	return nil, errors.New("not all Receivers became ready")
}
