// Package index answers questions about the objects in the informers' caches by index: a question costs what it
// finds, not what the cluster holds.
package index

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// AnyName in the name of a reference stands for all names.
const AnyName = "*"

const (
	alertsBySource    = "alertsBySource"
	providersBySecret = "providersBySecret"
	receiversBySecret = "receiversBySecret"
	receiversByPath   = "receiversByPath"
)

// Indexer is the part of a cache that lookups need.
type Indexer interface {
	AddIndexers(cache.Indexers) error
	GetIndexer() cache.Indexer
}

// Alerts looks up Alerts by what they select.
type Alerts struct{ indexer cache.Indexer }

// NewAlerts adds the index to an informer that has not been started.
func NewAlerts(informer Indexer) (*Alerts, error) {
	err := informer.AddIndexers(cache.Indexers{alertsBySource: by(func(a *v1beta3.Alert) []string {
		keys := make([]string, 0, len(a.Spec.EventSources))
		for _, source := range a.Spec.EventSources {
			keys = append(keys, sourceKey(cmp.Or(source.Namespace, a.Namespace), source.Kind, source.Name))
		}
		return keys
	})})
	return &Alerts{informer.GetIndexer()}, err
}

// BySource returns the Alerts with a source that names the object, or all objects of its kind and namespace, in
// order of namespace and name.
func (a *Alerts) BySource(kind, namespace, name string) ([]*v1beta3.Alert, error) {
	exact, err := lookup[*v1beta3.Alert](a.indexer, alertsBySource, sourceKey(namespace, kind, name))
	if err != nil {
		return nil, err
	}
	wildcard, err := lookup[*v1beta3.Alert](a.indexer, alertsBySource, sourceKey(namespace, kind, AnyName))
	if err != nil {
		return nil, err
	}
	found := append(exact, wildcard...)
	slices.SortFunc(found, func(a, b *v1beta3.Alert) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
	// An Alert may name the object and all of its kind.
	return slices.CompactFunc(found, func(a, b *v1beta3.Alert) bool {
		return a.UID == b.UID && a.Name == b.Name && a.Namespace == b.Namespace
	}), nil
}

// sourceKey joins with a character that no kind, namespace or name of the schema can hold.
func sourceKey(namespace, kind, name string) string { return namespace + "/" + kind + "/" + name }

// Providers looks up Providers by the Secrets they use.
type Providers struct{ indexer cache.Indexer }

// NewProviders adds the index to an informer that has not been started.
func NewProviders(informer Indexer) (*Providers, error) {
	err := informer.AddIndexers(cache.Indexers{providersBySecret: by(func(p *v1beta3.Provider) []string {
		return keysOf(ProviderSecrets(p))
	})})
	return &Providers{informer.GetIndexer()}, err
}

// BySecret returns the Providers that use a Secret.
func (p *Providers) BySecret(name types.NamespacedName) ([]*v1beta3.Provider, error) {
	return lookup[*v1beta3.Provider](p.indexer, providersBySecret, name.String())
}

// ProviderSecrets lists the Secrets that a Provider uses, each once, without those that cannot exist.
func ProviderSecrets(p *v1beta3.Provider) []types.NamespacedName {
	var names []types.NamespacedName
	for _, ref := range []*v1beta3.LocalObjectReference{p.Spec.SecretRef, p.Spec.CertSecretRef, p.Spec.ProxySecretRef} {
		if ref == nil || !secret.CanExist(ref.Name) {
			continue
		}
		name := types.NamespacedName{Namespace: p.Namespace, Name: ref.Name}
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// Receivers looks up Receivers by path and by the Secret they use.
type Receivers struct{ indexer cache.Indexer }

// NewReceivers adds the indexes to an informer that has not been started.
func NewReceivers(informer Indexer) (*Receivers, error) {
	err := informer.AddIndexers(cache.Indexers{
		receiversBySecret: by(func(r *v1.Receiver) []string { return keysOf(ReceiverSecrets(r)) }),
		receiversByPath: by(func(r *v1.Receiver) []string {
			var paths []string
			for _, path := range []string{r.Status.WebhookPath, r.Status.PreviousWebhookPath} {
				if path != "" {
					paths = append(paths, path)
				}
			}
			return paths
		}),
	})
	return &Receivers{informer.GetIndexer()}, err
}

// ReceiverSecrets lists the Secrets that a Receiver uses, without one that cannot exist.
func ReceiverSecrets(r *v1.Receiver) []types.NamespacedName {
	if r.Spec.SecretRef == nil || !secret.CanExist(r.Spec.SecretRef.Name) {
		return nil
	}
	return []types.NamespacedName{{Namespace: r.Namespace, Name: r.Spec.SecretRef.Name}}
}

// BySecret returns the Receivers that use a Secret.
func (r *Receivers) BySecret(name types.NamespacedName) ([]*v1.Receiver, error) {
	return lookup[*v1.Receiver](r.indexer, receiversBySecret, name.String())
}

// ByPath returns the Receiver whose webhook path, or previous one, is path, or nil. The path of a Receiver is a hash of token, name and
// namespace without separators, so that two Receivers can share one. One without a token wins then, whose path anybody can
// work out to choose a token for it; and else the oldest, so that a later one in another namespace cannot take its calls.
func (r *Receivers) ByPath(path string) (*v1.Receiver, error) {
	found, err := lookup[*v1.Receiver](r.indexer, receiversByPath, path)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	return firstOf(found, path), nil
}

// Rival returns the Receiver that has the calls to a Receiver's webhook path in its place, or nil.
func (r *Receivers) Rival(receiver *v1.Receiver) (*v1.Receiver, error) {
	path := receiver.Status.WebhookPath
	found, err := lookup[*v1.Receiver](r.indexer, receiversByPath, path)
	if err != nil || path == "" {
		return nil, err
	}
	if first := firstOf(append(found, receiver), path); first.Namespace != receiver.Namespace || first.Name != receiver.Name {
		return first, nil
	}
	return nil, nil
}

func firstOf(receivers []*v1.Receiver, path string) *v1.Receiver {
	return slices.MinFunc(receivers, func(a, b *v1.Receiver) int {
		return cmp.Or(cmp.Compare(secrecy(a, path), secrecy(b, path)), a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
			cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Name, b.Name))
	})
}

// secrecy is 0 if there is no token in the Receiver's path. What the spec says would not do: the path may be older.
func secrecy(r *v1.Receiver, path string) int {
	if path == r.WebhookPathFor("") {
		return 0
	}
	return 1
}

// by turns a function of an object into an index function. A wrong type is an error, not an empty answer.
func by[T any](keys func(T) []string) cache.IndexFunc {
	return func(obj any) ([]string, error) {
		typed, ok := obj.(T)
		if !ok {
			return nil, fmt.Errorf("index: unexpected type %T", obj)
		}
		return keys(typed), nil
	}
}

func lookup[T any](indexer cache.Indexer, name, key string) ([]T, error) {
	objects, err := indexer.ByIndex(name, key)
	if err != nil {
		return nil, err
	}
	found := make([]T, 0, len(objects))
	for _, obj := range objects {
		typed, ok := obj.(T)
		if !ok {
			return nil, fmt.Errorf("index %s: unexpected type %T", name, obj)
		}
		found = append(found, typed)
	}
	return found, nil
}

func keysOf(names []types.NamespacedName) []string {
	keys := make([]string, 0, len(names))
	for _, name := range names {
		keys = append(keys, name.String())
	}
	return keys
}
