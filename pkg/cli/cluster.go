package cli

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/kubernetes"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/tools/pager"

	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned"
	"github.com/notification-controller/notification-controller/pkg/objects"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/version"
)

// fromCluster makes an inventory of a cluster: all objects of the kinds, in the namespace of the flag or else in all
// namespaces; Secrets and objects of other kinds are read when they are asked for.
func (o *options) fromCluster(ctx context.Context, kinds []kind) (*inventory, error) {
	config, namespace, err := o.clientConfig()
	if err != nil {
		return nil, fmt.Errorf("no file has a Kubernetes object, and no cluster can be asked: %w", err)
	}
	core, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	ours, err := versioned.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	others, err := metadata.NewForConfig(metadata.ConfigFor(config))
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(core.Discovery()))
	inv := &inventory{
		secrets:   clusterSecrets{ctx, core.CoreV1()},
		objects:   clusterObjects{ctx, others, mapper},
		accounts:  core.CoreV1(),
		namespace: namespace,
		live:      true,
		notes:     func() []string { return nil },
	}
	for _, k := range kinds {
		switch k {
		case alerts:
			inv.alerts, err = list(ctx, ours.NotificationV1beta3().Alerts(o.namespace).List, inv.alerts)
		case providers:
			inv.providers, err = list(ctx, ours.NotificationV1beta3().Providers(o.namespace).List, inv.providers)
		case receivers:
			inv.receivers, err = list(ctx, ours.NotificationV1().Receivers(o.namespace).List, inv.receivers)
		}
		if apierrors.IsForbidden(err) && o.namespace == "" {
			err = fmt.Errorf("%w; --namespace looks in one only", err)
		}
		if err != nil {
			return nil, err
		}
	}
	return inv.sorted(), nil
}

// clientConfig finds the cluster as kubectl does, and the namespace of what is named without one.
func (o *options) clientConfig() (*rest.Config, string, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	rules.ExplicitPath = o.kubeconfig
	overrides := &clientcmd.ConfigOverrides{CurrentContext: o.context}
	overrides.Context.Namespace = o.namespace
	loader := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, overrides)
	config, err := loader.ClientConfig()
	if err != nil {
		return nil, "", err
	}
	config = rest.CopyConfig(config)
	config.UserAgent = "notification-controller/" + version.Version()
	config.WarningHandlerWithContext = rest.NoWarnings{}
	namespace, _, err := loader.Namespace()
	return config, namespace, err
}

// list reads all objects of a kind, a page at a time.
func list[L runtime.Object, P any](ctx context.Context, page func(context.Context, metav1.ListOptions) (L, error), found []P) ([]P, error) {
	pages := pager.New(func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return page(ctx, o) })
	err := pages.EachListItem(ctx, metav1.ListOptions{}, func(object runtime.Object) error {
		typed, ok := object.(P)
		if !ok {
			return fmt.Errorf("the API server listed a %T", object)
		}
		found = append(found, typed)
		return nil
	})
	return found, err
}

// clusterSecrets reads Secrets when they are asked for.
type clusterSecrets struct {
	ctx    context.Context
	client corev1client.SecretsGetter
}

// Get implements [secret.Getter].
func (s clusterSecrets) Get(namespace, name string) (*secret.Secret, error) {
	found, err := s.client.Secrets(namespace).Get(s.ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return nil, fmt.Errorf("Secret '%s/%s': %w", namespace, name, secret.ErrNotFound)
	case err != nil:
		return nil, fmt.Errorf("Secret '%s/%s': %w: %w", namespace, name, secret.ErrNotLoaded, err)
	}
	return &secret.Secret{ResourceVersion: found.ResourceVersion, Data: found.Data}, nil
}

// clusterObjects reads the metadata of objects when it is asked for.
type clusterObjects struct {
	ctx    context.Context
	client metadata.Interface
	mapper meta.RESTMapper
}

// Get implements [hook.Objects].
func (c clusterObjects) Get(kind schema.GroupKind, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	resource, err := c.Resource(kind)
	if err != nil {
		return nil, err
	}
	found, err := c.client.Resource(resource).Namespace(namespace).Get(c.ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("%s %s/%s: %w", kind.Kind, namespace, name, classify(err))
	}
	return found, nil
}

// List implements [hook.Objects].
func (c clusterObjects) List(kind schema.GroupKind, namespace string, selector labels.Selector) ([]*metav1.PartialObjectMetadata, error) {
	resource, err := c.Resource(kind)
	if err != nil {
		return nil, err
	}
	var found []*metav1.PartialObjectMetadata
	found, err = list(c.ctx, func(ctx context.Context, o metav1.ListOptions) (*metav1.PartialObjectMetadataList, error) {
		o.LabelSelector = selector.String()
		return c.client.Resource(resource).Namespace(namespace).List(ctx, o)
	}, found)
	if err != nil {
		return nil, fmt.Errorf("list %s in %s: %w", kind.Kind, namespace, classify(err))
	}
	return found, nil
}

// Resource implements [hook.Objects].
func (c clusterObjects) Resource(kind schema.GroupKind) (schema.GroupVersionResource, error) {
	mapping, err := c.mapper.RESTMapping(kind)
	if err != nil {
		return schema.GroupVersionResource{}, fmt.Errorf("%s: %w", kind.Kind, classify(err))
	}
	return mapping.Resource, nil
}

// classify turns an error of the API server into those of [objects.Informers].
func classify(err error) error {
	switch {
	case meta.IsNoMatchError(err):
		return objects.ErrNotServed
	case apierrors.IsNotFound(err):
		return objects.ErrNotFound
	case apierrors.IsForbidden(err):
		return fmt.Errorf("you have not got the right to read it: %w", err)
	default:
		return err
	}
}
