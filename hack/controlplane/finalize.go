package main

import (
	"context"
	"flag"
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	"k8s.io/client-go/util/retry"
)

// finalizeNamespace does for one namespace what the namespace controller does for all that are being deleted: it
// deletes all in it, waits until that is gone and then gives the namespace free.
func finalizeNamespace(ctx context.Context, flags *flag.FlagSet, args []string) error {
	timeout := flags.Duration("timeout", 30*time.Second, "how long to wait for the content of the namespace to go")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() != 1 {
		return fmt.Errorf("finalize-namespace takes the name of one namespace, got %q", flags.Args())
	}
	n, err := newNamespace(flags.Arg(0))
	if err != nil {
		return err
	}
	if err := n.checkDeleted(ctx); err != nil {
		return err
	}
	if err := n.clear(ctx, *timeout); err != nil {
		return fmt.Errorf("clear namespace %s: %w", n.name, err)
	}
	if err := n.finalize(ctx); err != nil {
		return fmt.Errorf("finalize namespace %s: %w", n.name, err)
	}
	return nil
}

// namespace is a namespace of the cluster that KUBECONFIG names.
type namespace struct {
	name    string
	client  kubernetes.Interface
	objects metadata.Interface
}

func newNamespace(name string) (*namespace, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("load the kubeconfig: %w", err)
	}
	config.QPS = -1                           // each round lists every kind of resource
	config.WarningHandler = rest.NoWarnings{} // some of them are deprecated
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	objects, err := metadata.NewForConfig(config)
	if err != nil {
		return nil, err
	}
	return &namespace{name: name, client: client, objects: objects}, nil
}

// checkDeleted returns an error if nobody has asked for the namespace to go: its content is not to be lost then.
func (n *namespace) checkDeleted(ctx context.Context) error {
	object, err := n.client.CoreV1().Namespaces().Get(ctx, n.name, metav1.GetOptions{})
	if err != nil {
		return err
	}
	if object.DeletionTimestamp == nil {
		return fmt.Errorf("namespace %[1]s is not being deleted: run kubectl delete namespace %[1]s --wait=false first", n.name)
	}
	return nil
}

// clear deletes all in the namespace and waits until it is gone.
func (n *namespace) clear(ctx context.Context, timeout time.Duration) error {
	resources, err := n.resources()
	if err != nil {
		return fmt.Errorf("discover what a namespace can hold: %w", err)
	}
	deadline := time.After(timeout)
	for {
		var remaining []string
		for _, resource := range resources {
			left, err := n.deleteAll(ctx, resource)
			if err != nil {
				return fmt.Errorf("delete all %s: %w", resource.GroupResource(), err)
			}
			remaining = append(remaining, left...)
		}
		if len(remaining) == 0 {
			return nil
		}
		select {
		case <-deadline:
			return fmt.Errorf("still there after %s: %s", timeout, strings.Join(remaining, ", "))
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(pollInterval):
		}
	}
}

// resources returns all resources whose objects a namespace holds.
func (n *namespace) resources() ([]schema.GroupVersionResource, error) {
	lists, err := discovery.ServerPreferredNamespacedResources(n.client.Discovery())
	if err != nil {
		return nil, err
	}
	// Others, such as bindings and subject access reviews, are questions or deeds: nothing of them stays.
	lists = discovery.FilteredBy(discovery.SupportsAllVerbs{Verbs: []string{"list", "delete"}}, lists)
	var resources []schema.GroupVersionResource
	for _, list := range lists {
		version, err := schema.ParseGroupVersion(list.GroupVersion)
		if err != nil {
			return nil, err
		}
		for _, resource := range list.APIResources {
			resources = append(resources, version.WithResource(resource.Name))
		}
	}
	return resources, nil
}

// deleteAll deletes the objects of one resource and returns those that were there, for an error to name.
func (n *namespace) deleteAll(ctx context.Context, resource schema.GroupVersionResource) ([]string, error) {
	client := n.objects.Resource(resource).Namespace(n.name)
	list, err := client.List(ctx, metav1.ListOptions{})
	// A resource of a custom resource definition may have gone since it was discovered.
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var found []string
	for _, object := range list.Items {
		name := resource.Resource + "/" + object.Name
		if len(object.Finalizers) > 0 {
			name += fmt.Sprintf(" (finalizers %s)", strings.Join(object.Finalizers, ", "))
		}
		found = append(found, name)
		if object.DeletionTimestamp != nil {
			continue
		}
		// No garbage collector runs that would end a deletion in the foreground.
		background := metav1.DeletePropagationBackground
		err := client.Delete(ctx, object.Name, metav1.DeleteOptions{PropagationPolicy: &background})
		if err != nil && !apierrors.IsNotFound(err) {
			return nil, err
		}
	}
	return found, nil
}

// finalize takes the finalizer of the namespace controller off the namespace, which ends its deletion.
func (n *namespace) finalize(ctx context.Context) error {
	namespaces := n.client.CoreV1().Namespaces()
	err := retry.RetryOnConflict(retry.DefaultRetry, func() error {
		object, err := namespaces.Get(ctx, n.name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		object.Spec.Finalizers = slices.DeleteFunc(object.Spec.Finalizers, func(finalizer corev1.FinalizerName) bool {
			return finalizer == corev1.FinalizerKubernetes
		})
		_, err = namespaces.Finalize(ctx, object, metav1.UpdateOptions{})
		return err
	})
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}
