// Package objects knows the metadata of the objects that Receivers annotate and that Alerts match by label, and of no
// others: there is one metadata-only informer for each kind that any of them names.
package objects

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/cache"
)

var (
	// ErrNotFound says that there is no such object.
	ErrNotFound = errors.New("not found")
	// ErrNotServed says that the cluster does not have the kind: its CustomResourceDefinition is not installed.
	ErrNotServed = errors.New("the cluster does not serve this kind; is its CustomResourceDefinition installed?")
	// ErrForbidden says that the controller lacks the right to read the kind.
	ErrForbidden = errors.New("the controller's role does not allow it to list and watch this kind")
	// ErrNotSynced says that the objects of the kind have not been read yet: trying again helps.
	ErrNotSynced = errors.New("the objects of this kind have not been read yet")
)

// Mapper finds the resource and the served version of a kind, as [restmapper.DeferredDiscoveryRESTMapper] does.
type Mapper interface {
	RESTMappingWithContext(ctx context.Context, kind schema.GroupKind, versions ...string) (*meta.RESTMapping, error)
	// ResetWithContext has the next mapping ask the API server anew.
	ResetWithContext(ctx context.Context)
}

// Options configure [Informers].
type Options struct {
	Client metadata.Interface
	Mapper Mapper
	// Namespace is the only one that is watched; empty means all.
	Namespace string
}

// Informers are the informers of the kinds that are wanted. Its answers come from memory.
type Informers struct {
	options Options
	// changed wakes Run up after wanted kinds have come or gone.
	changed chan struct{}

	mu     sync.RWMutex
	owners map[types.UID][]schema.GroupKind
	kinds  map[schema.GroupKind]*wantedKind
}

type wantedKind struct {
	owners   int
	follower *follower
}

// New returns informers that want nothing yet.
func New(o Options) *Informers {
	return &Informers{
		options: o,
		changed: make(chan struct{}, 1),
		owners:  map[types.UID][]schema.GroupKind{},
		kinds:   map[schema.GroupKind]*wantedKind{},
	}
}

// Want says which kinds an owner wants from now on, in place of those before; none when the owner is gone. A kind is
// watched from when the first owner wants it until the last one does not any more.
func (i *Informers) Want(owner types.UID, kinds []schema.GroupKind) {
	i.mu.Lock()
	defer i.mu.Unlock()
	// The new ones first: a kind that stays wanted is not to stop in between.
	for _, kind := range kinds {
		i.add(kind)
	}
	for _, kind := range i.owners[owner] {
		i.remove(kind)
	}
	i.owners[owner] = slices.Clone(kinds)
	if len(kinds) == 0 {
		delete(i.owners, owner)
	}
	select {
	case i.changed <- struct{}{}:
	default: // Run has yet to look at an earlier change, and will see this one too.
	}
}

func (i *Informers) add(kind schema.GroupKind) {
	wanted := i.kinds[kind]
	if wanted == nil {
		wanted = &wantedKind{follower: newFollower(i.options, kind)}
		i.kinds[kind] = wanted
	}
	wanted.owners++
}

func (i *Informers) remove(kind schema.GroupKind) {
	wanted := i.kinds[kind]
	wanted.owners--
	if wanted.owners == 0 {
		delete(i.kinds, kind)
	}
}

// Run keeps the informers of the wanted kinds running until ctx ends, and returns when all of them have stopped.
func (i *Informers) Run(ctx context.Context) {
	var all sync.WaitGroup
	defer all.Wait()
	running := map[*follower]context.CancelFunc{}
	for {
		wanted := i.followers()
		for f, stop := range running {
			if !slices.Contains(wanted, f) {
				stop()
				delete(running, f)
			}
		}
		for _, f := range wanted {
			if running[f] == nil {
				followerCtx, stop := context.WithCancel(ctx)
				running[f] = stop
				all.Go(func() { f.run(followerCtx) })
			}
		}
		select {
		case <-ctx.Done():
			return
		case <-i.changed:
		}
	}
}

func (i *Informers) followers() []*follower {
	i.mu.RLock()
	defer i.mu.RUnlock()
	wanted := make([]*follower, 0, len(i.kinds))
	for _, kind := range i.kinds {
		wanted = append(wanted, kind.follower)
	}
	return wanted
}

// Get returns the metadata of an object. It is shared: do not change it. The error names the object and wraps
// [ErrNotFound], [ErrNotServed], [ErrForbidden] or [ErrNotSynced].
func (i *Informers) Get(kind schema.GroupKind, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	found, err := i.get(kind, cache.NewObjectName(namespace, name))
	if err != nil {
		return nil, fmt.Errorf("%s %s/%s: %w", kind.Kind, namespace, name, err)
	}
	return found, nil
}

func (i *Informers) get(kind schema.GroupKind, name cache.ObjectName) (*metav1.PartialObjectMetadata, error) {
	_, indexer, err := i.synced(kind)
	if err != nil {
		return nil, err
	}
	obj, exists, err := indexer.GetByKey(name.String())
	switch {
	case err != nil:
		return nil, err
	case !exists && i.options.Namespace != "" && i.options.Namespace != name.Namespace:
		return nil, fmt.Errorf("%w: the controller watches only the namespace %s", ErrNotFound, i.options.Namespace)
	case !exists:
		return nil, ErrNotFound
	}
	return metadataOf(obj)
}

// List returns the metadata of the objects in a namespace that the selector selects, in order of name. They are
// shared: do not change them. The error is as that of Get, without [ErrNotFound].
func (i *Informers) List(kind schema.GroupKind, namespace string, selector labels.Selector) ([]*metav1.PartialObjectMetadata, error) {
	found, err := i.list(kind, namespace, selector)
	if err != nil {
		return nil, fmt.Errorf("list %s in %s: %w", kind.Kind, namespace, err)
	}
	slices.SortFunc(found, func(a, b *metav1.PartialObjectMetadata) int { return cmp.Compare(a.Name, b.Name) })
	return found, nil
}

func (i *Informers) list(kind schema.GroupKind, namespace string, selector labels.Selector) ([]*metav1.PartialObjectMetadata, error) {
	_, indexer, err := i.synced(kind)
	if err != nil {
		return nil, err
	}
	objects, err := indexer.ByIndex(cache.NamespaceIndex, namespace)
	if err != nil {
		return nil, err
	}
	found := make([]*metav1.PartialObjectMetadata, 0, len(objects))
	for _, obj := range objects {
		m, err := metadataOf(obj)
		if err != nil {
			return nil, err
		}
		if selector.Matches(labels.Set(m.Labels)) {
			found = append(found, m)
		}
	}
	return found, nil
}

// Resource returns the resource, with the version that is served, under which the objects of a kind are read and
// written. The error is as that of List.
func (i *Informers) Resource(kind schema.GroupKind) (schema.GroupVersionResource, error) {
	resource, _, err := i.synced(kind)
	if err != nil {
		return schema.GroupVersionResource{}, fmt.Errorf("%s: %w", kind.Kind, err)
	}
	return resource, nil
}

// Attempted says whether there is an answer for each wanted kind: its objects have been read, it is not served, or the
// controller may not read it.
func (i *Informers) Attempted() bool {
	for _, f := range i.followers() {
		if _, _, err := f.synced(); errors.Is(err, ErrNotSynced) {
			return false
		}
	}
	return true
}

// ReportSync says of each wanted kind whether its objects can be read: whether the kind is served, the controller may
// read it, and has done so.
func (i *Informers) ReportSync(report func(kind string, synced bool)) {
	for _, f := range i.followers() {
		_, _, err := f.synced()
		report(f.kind.Kind, err == nil)
	}
}

func (i *Informers) synced(kind schema.GroupKind) (schema.GroupVersionResource, cache.Indexer, error) {
	i.mu.RLock()
	wanted := i.kinds[kind]
	i.mu.RUnlock()
	if wanted == nil {
		// Whoever asks has seen the owner before Want was called for it.
		return schema.GroupVersionResource{}, nil, ErrNotSynced
	}
	return wanted.follower.synced()
}

func metadataOf(obj any) (*metav1.PartialObjectMetadata, error) {
	m, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return nil, fmt.Errorf("the informer holds a %T", obj)
	}
	return m, nil
}
