package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
)

const (
	token = "bench-token"
	// creators is how many objects are created at a time.
	creators = 32
	// usedSecrets is the most Secrets that Receivers share.
	usedSecrets = 10
	// team is a label, and its value, of the objects that one webhook is for.
	team = "team"
)

func gitRepositories() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
}

// population is how many objects of a kind there are. The i-th of a kind is the same in every population.
type population struct {
	// namespaces over which the others are spread.
	namespaces int
	providers  int
	// alerts are each for one Kustomization of its own.
	alerts int
	// receivers are each for one GitRepository of its own, of which there are repositories.
	receivers, repositories int
	// secrets are those that nobody uses.
	secrets int
}

func namespaceOf(i, namespaces int) string { return fmt.Sprintf("bench-%d", i%namespaces) }

// app is the Kustomization that the i-th Alert is for.
func (p population) app(i int) (namespace, name string) {
	return namespaceOf(i, p.namespaces), fmt.Sprintf("app-%d", i)
}

// anyApp names the Kustomizations of the first n Alerts in turn.
func (p population) anyApp(n int) naming {
	return func(i int) (string, string) { return p.app(i % n) }
}

func (p population) alert(i int) *v1beta3.Alert {
	namespace, app := p.app(i)
	providers := max(p.providers/p.namespaces, 1)
	return alertFor(namespace, fmt.Sprintf("alert-%d", i), app, fmt.Sprintf("sink-%d", i/p.namespaces%providers))
}

func alertFor(namespace, name, app, provider string) *v1beta3.Alert {
	return &v1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1beta3.AlertSpec{
		ProviderRef:  v1beta3.LocalObjectReference{Name: provider},
		EventSources: []v1beta3.CrossNamespaceObjectReference{{Kind: "Kustomization", Name: app}},
		// An expression to run on every message, as real Alerts have.
		ExclusionList: []string{"^Dependencies do not meet ready condition"},
	}}
}

func (p population) provider(i int, url string) *v1beta3.Provider {
	return providerFor(namespaceOf(i, p.namespaces), fmt.Sprintf("sink-%d", i/p.namespaces), url)
}

func providerFor(namespace, name, url string) *v1beta3.Provider {
	return &v1beta3.Provider{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec:       v1beta3.ProviderSpec{Type: "generic", Address: url},
	}
}

func (p population) receiver(i int) *v1.Receiver {
	name := fmt.Sprintf("repo-%d", i)
	return receiverFor(namespaceOf(i, p.tokens()), name, v1.CrossNamespaceObjectReference{Kind: "GitRepository", Name: name})
}

func receiverFor(namespace, name string, objects v1.CrossNamespaceObjectReference) *v1.Receiver {
	return &v1.Receiver{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Spec: v1.ReceiverSpec{
		Type: "github", SecretRef: &v1.LocalObjectReference{Name: "token"}, Events: []string{"push"},
		Resources: []v1.ResourceReference{{CrossNamespaceObjectReference: objects}},
	}}
}

// paths are those of the first n Receivers.
func (p population) paths(n int) []string {
	var paths []string
	for i := range n {
		paths = append(paths, p.receiver(i).WebhookPathFor(token))
	}
	return paths
}

// tokens is how many Secrets the Receivers use.
func (p population) tokens() int { return min(p.namespaces, usedSecrets) }

// populate creates what is missing from one population to the next, which has no fewer of any kind.
func (b *bench) populate(ctx context.Context, from, to population) error {
	begin := time.Now()
	defer func() { progress("created %+v in %s", to, time.Since(begin).Round(time.Second)) }()
	create := metav1.CreateOptions{}
	tokens := 0
	if from.receivers == 0 && to.receivers > 0 {
		tokens = to.tokens()
	}
	for _, kind := range []struct {
		from, to int
		create   func(i int) error
	}{
		{from.namespaces, to.namespaces, func(i int) error {
			namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespaceOf(i, to.namespaces)}}
			_, err := b.core.CoreV1().Namespaces().Create(ctx, namespace, create)
			return err
		}},
		{from.secrets, to.secrets, func(i int) error {
			return b.createSecret(ctx, namespaceOf(i, to.namespaces), fmt.Sprintf("other-%d", i))
		}},
		{0, tokens, func(i int) error { return b.createSecret(ctx, namespaceOf(i, to.namespaces), "token") }},
		{from.providers, to.providers, func(i int) error { return b.createProvider(ctx, to.provider(i, b.sink.url())) }},
		{from.alerts, to.alerts, func(i int) error { return b.createAlert(ctx, to.alert(i)) }},
		{from.repositories, to.repositories, func(i int) error {
			r := to.receiver(i)
			return b.createRepository(ctx, r.Namespace, r.Name, nil)
		}},
		{from.receivers, to.receivers, func(i int) error { return b.createReceiver(ctx, to.receiver(i)) }},
	} {
		if err := parallel(kind.from, kind.to, kind.create); err != nil {
			return err
		}
	}
	return nil
}

func (b *bench) createSecret(ctx context.Context, namespace, name string) error {
	secret := &corev1.Secret{ObjectMeta: metav1.ObjectMeta{Name: name}, StringData: map[string]string{"token": token}}
	_, err := b.core.CoreV1().Secrets(namespace).Create(ctx, secret, metav1.CreateOptions{})
	return err
}

func (b *bench) createAlert(ctx context.Context, a *v1beta3.Alert) error {
	_, err := b.ours.NotificationV1beta3().Alerts(a.Namespace).Create(ctx, a, metav1.CreateOptions{})
	return err
}

func (b *bench) createProvider(ctx context.Context, p *v1beta3.Provider) error {
	_, err := b.ours.NotificationV1beta3().Providers(p.Namespace).Create(ctx, p, metav1.CreateOptions{})
	return err
}

func (b *bench) createReceiver(ctx context.Context, r *v1.Receiver) error {
	_, err := b.ours.NotificationV1().Receivers(r.Namespace).Create(ctx, r, metav1.CreateOptions{})
	return err
}

func (b *bench) createRepository(ctx context.Context, namespace, name string, labels map[string]any) error {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "source.toolkit.fluxcd.io/v1", "kind": "GitRepository",
		"metadata": map[string]any{"name": name, "labels": labels},
		"spec":     map[string]any{"interval": "1h", "url": "https://example.com/" + name},
	}}
	_, err := b.dynamic.Resource(gitRepositories()).Namespace(namespace).Create(ctx, object, metav1.CreateOptions{})
	return err
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

// waitReceivers waits until all Receivers have a path, as long as there are more of those.
func (b *bench) waitReceivers(ctx context.Context) error {
	last := 0
	for deadline := time.Now().Add(readyTimeout); time.Now().Before(deadline); {
		begin := time.Now()
		list, err := b.ours.NotificationV1().Receivers("").List(ctx, metav1.ListOptions{})
		if err != nil {
			return err
		}
		ready := 0
		for _, r := range list.Items {
			if r.Status.WebhookPath != "" {
				ready++
			}
		}
		if ready == len(list.Items) {
			return nil
		}
		if ready > last {
			last, deadline = ready, time.Now().Add(readyTimeout)
		}
		// At most half of the time, or the API server would do nothing else.
		time.Sleep(max(time.Since(begin), 100*time.Millisecond))
	}
	return errors.New("not all Receivers became ready")
}

// waitAnnotated waits until n objects were asked since then to reconcile, and returns how many were.
func (b *bench) waitAnnotated(ctx context.Context, n int, selector string, since time.Time) (int, error) {
	annotated := 0
	for deadline := time.Now().Add(readyTimeout); annotated < n && time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
		list, err := b.meta.Resource(gitRepositories()).List(ctx, metav1.ListOptions{LabelSelector: selector})
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
	}
	return annotated, nil
}
