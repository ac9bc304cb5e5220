package secret

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/types"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/workqueue"

	"github.com/notification-controller/notification-controller/pkg/controller"
)

// Selector keeps the history of Helm, often most of a cluster's Secrets, out of the metadata informer.
var Selector = fields.OneTermNotEqualSelector("type", "helm.sh/release.v1").String()

const (
	workers    = 4
	readLimit  = 10 * time.Second
	minBackoff = 500 * time.Millisecond
	maxBackoff = 30 * time.Second
	// maxQuoted is how many characters an error quotes of a name that no Secret can have: it has any length.
	maxQuoted = 100
)

// Store reads Secrets when they, or the objects that refer to them, change. A metadata informer tells which
// resourceVersion is current; only the data of Secrets that are referred to is read. A failed read keeps the last
// value, a deleted Secret drops it.
type Store struct {
	client     corev1client.SecretsGetter
	metadata   cache.SharedIndexInformer
	referenced func(types.NamespacedName) bool
	loop       *controller.Loop[types.NamespacedName]

	mu        sync.RWMutex
	entries   map[types.NamespacedName]*entry
	listeners map[*listener]bool
}

type listener struct{ changed func(types.NamespacedName) }

// entry is a Secret that is referred to. Until the first attempt to read it, all fields are empty.
type entry struct {
	attempted bool
	value     *Secret
	// err is why there is no value.
	err error
}

// NewStore returns a store; referenced says whether any object refers to a Secret.
func NewStore(client corev1client.SecretsGetter, metadata cache.SharedIndexInformer, referenced func(types.NamespacedName) bool, o StoreOptions) *Store {
	s := &Store{client: client, metadata: metadata, referenced: referenced, entries: map[types.NamespacedName]*entry{}, listeners: map[*listener]bool{}}
	s.loop = controller.NewLoop(controller.Options[types.NamespacedName]{
		Name:     "secret",
		Workers:  workers,
		Backoff:  controller.Backoff{Min: minBackoff, Max: maxBackoff},
		Sync:     s.sync,
		Observer: o.Observer,
		Metrics:  o.Queues,
	})
	return s
}

// StoreOptions are the optional parts of a [Store].
type StoreOptions struct {
	Observer controller.Observer
	Queues   workqueue.MetricsProvider
}

// Subscribe registers a function that is called after the value of a Secret has changed, until cancel is called. It
// has to be quick.
func (s *Store) Subscribe(changed func(types.NamespacedName)) (cancel func()) {
	l := &listener{changed}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.listeners[l] = true
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		delete(s.listeners, l)
	}
}

// Reference is called when an object has appeared or changed, with the Secrets that it refers to now, all of which
// [CanExist]. Get answers [ErrNotTried] from then on until they have been tried.
func (s *Store) Reference(secrets ...types.NamespacedName) {
	for _, name := range secrets {
		// One that is known has been read or is about to be, however many refer to it.
		if s.add(name) {
			s.loop.Add(name)
		}
	}
}

// add says whether the Secret was not known before.
func (s *Store) add(name types.NamespacedName) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.entries[name] != nil {
		return false
	}
	s.entries[name] = &entry{}
	return true
}

// Release is called when an object has changed or is gone, with the Secrets that it does not refer to any more.
func (s *Store) Release(secrets ...types.NamespacedName) {
	for _, name := range secrets {
		s.loop.Add(name)
	}
}

// Get implements [Getter].
func (s *Store) Get(namespace, name string) (*Secret, error) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	s.mu.RLock()
	defer s.mu.RUnlock()
	e := s.entries[key]
	switch {
	case name == "": // The schema takes it, and nobody refers to it.
		return nil, fmt.Errorf("the name of the Secret is empty: %w", ErrNotFound)
	case e == nil && !CanExist(name): // Likewise.
		return nil, fmt.Errorf("no Secret can have the name %.*q: %w", maxQuoted, name, ErrNotFound)
	case e == nil || !e.attempted:
		return nil, fmt.Errorf("Secret '%s': %w", key, ErrNotTried)
	case e.value != nil:
		return e.value, nil
	default:
		return nil, fmt.Errorf("Secret '%s': %w", key, e.err)
	}
}

// Attempted says whether every Secret that is referred to has been read, or at least tried.
func (s *Store) Attempted() bool {
	s.mu.RLock()
	defer s.mu.RUnlock()
	for _, e := range s.entries {
		if !e.attempted {
			return false
		}
	}
	return true
}

// Run follows the Secrets until ctx ends.
func (s *Store) Run(ctx context.Context) error {
	registration, err := s.metadata.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    s.metadataChanged,
		UpdateFunc: func(_, obj any) { s.metadataChanged(obj) },
		DeleteFunc: s.metadataChanged,
	})
	if err != nil {
		return fmt.Errorf("watch Secrets: %w", err)
	}
	defer func() { _ = s.metadata.RemoveEventHandler(registration) }() // It can only say that it is gone already.
	s.loop.Run(ctx)
	return nil
}

func (s *Store) metadataChanged(obj any) {
	name, err := cache.DeletionHandlingObjectToName(obj)
	if err != nil {
		return // Not an object, and so not a Secret.
	}
	key := types.NamespacedName{Namespace: name.Namespace, Name: name.Name}
	s.mu.RLock()
	_, known := s.entries[key]
	s.mu.RUnlock()
	if known {
		s.loop.Add(key)
	}
}

// sync reads a Secret if what is kept of it is not current.
func (s *Store) sync(ctx context.Context, key types.NamespacedName) (controller.Result, error) {
	if !s.referenced(key) {
		s.drop(key)
		return controller.Result{}, nil
	}
	current, exists, err := s.currentVersion(key)
	if err != nil {
		return controller.Result{}, err
	}
	if have := s.value(key); exists && have != nil && have.ResourceVersion == current {
		return controller.Result{}, nil
	}

	ctx, cancel := context.WithTimeout(ctx, readLimit)
	defer cancel()
	// Also a Secret that the informer does not know (yet) is asked for: its creation may still be on the way.
	read, err := s.client.Secrets(key.Namespace).Get(ctx, key.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		s.put(key, nil, ErrNotFound)
		return controller.Result{}, nil
	case err != nil:
		s.put(key, nil, fmt.Errorf("%w: %w", ErrNotLoaded, err))
		return controller.Result{}, fmt.Errorf("read Secret %s: %w", key, err)
	}
	s.put(key, fromAPI(read), nil)
	return controller.Result{}, nil
}

func fromAPI(s *corev1.Secret) *Secret {
	return &Secret{ResourceVersion: s.ResourceVersion, Data: s.Data}
}

func (s *Store) currentVersion(key types.NamespacedName) (version string, exists bool, err error) {
	obj, exists, err := s.metadata.GetIndexer().GetByKey(key.String())
	if err != nil || !exists {
		return "", false, err
	}
	meta, ok := obj.(metav1.Object)
	if !ok {
		return "", false, fmt.Errorf("Secret informer holds a %T", obj)
	}
	return meta.GetResourceVersion(), true, nil
}

func (s *Store) value(key types.NamespacedName) *Secret {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if e := s.entries[key]; e != nil {
		return e.value
	}
	return nil
}

// drop forgets a Secret, unless an object has come meanwhile that refers to it: Reference, which is called after that,
// has then perhaps found the Secret to be known.
func (s *Store) drop(key types.NamespacedName) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.referenced(key) {
		delete(s.entries, key)
	}
}

// put records the outcome of an attempt and tells the listeners if it changed anything.
func (s *Store) put(key types.NamespacedName, value *Secret, failure error) {
	s.mu.Lock()
	before := s.entries[key]
	after := &entry{attempted: true, value: value, err: failure}
	if before != nil && before.value != nil && value == nil && !errors.Is(failure, ErrNotFound) {
		after.value = before.value
	}
	changed := before == nil || !before.attempted || version(before.value) != version(after.value) ||
		(after.value == nil && before.err.Error() != after.err.Error())
	s.entries[key] = after
	listeners := slices.Collect(maps.Keys(s.listeners))
	s.mu.Unlock()
	if !changed {
		return
	}
	for _, l := range listeners {
		l.changed(key)
	}
}

func version(s *Secret) string {
	if s == nil {
		return ""
	}
	return s.ResourceVersion
}
