package objects

import (
	"context"
	"errors"
	"io"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// A kind that is not served is looked for again after minDelay, doubling up to maxDelay.
const (
	minDelay = time.Second
	maxDelay = time.Minute
)

// follower follows the objects of one kind: it finds out which version is served, informs about that, and starts over
// when it goes.
type follower struct {
	options Options
	kind    schema.GroupKind

	mu sync.RWMutex
	// informer is nil while no served version is known; resource is its resource.
	informer cache.SharedIndexInformer
	resource schema.GroupVersionResource
	// err is why the objects cannot be read: ErrNotServed, ErrForbidden or nil.
	err error
}

func newFollower(o Options, kind schema.GroupKind) *follower {
	return &follower{options: o, kind: kind}
}

// synced returns what there is to read from, or why there is nothing.
func (f *follower) synced() (schema.GroupVersionResource, cache.Indexer, error) {
	f.mu.RLock()
	defer f.mu.RUnlock()
	switch {
	case f.err != nil:
		return schema.GroupVersionResource{}, nil, f.err
	case f.informer == nil || !f.informer.HasSynced():
		return schema.GroupVersionResource{}, nil, ErrNotSynced
	default:
		return f.resource, f.informer.GetIndexer(), nil
	}
}

// run follows the kind until ctx ends.
func (f *follower) run(ctx context.Context) {
	delay := minDelay
	for {
		mapping, err := f.discover(ctx)
		if err == nil && f.inform(ctx, mapping) {
			delay = minDelay
		}
		select {
		case <-ctx.Done():
			return
		case <-time.After(delay):
		}
		delay = min(2*delay, maxDelay)
		// What the mapper knows was of no use.
		f.options.Mapper.ResetWithContext(ctx)
	}
}

// discover asks for the version of the kind that is served.
func (f *follower) discover(ctx context.Context) (*meta.RESTMapping, error) {
	mapping, err := f.options.Mapper.RESTMappingWithContext(ctx, f.kind)
	logger := klog.FromContext(ctx).WithValues("kind", f.kind)
	switch {
	case meta.IsNoMatchError(err):
		if f.setErr(ErrNotServed) {
			logger.Info("The cluster does not serve this kind; will look for it again")
		}
	case err != nil:
		f.setErr(nil)
		logger.Error(err, "Cannot ask the API server which version of this kind it serves; will try again")
	}
	return mapping, err
}

// inform keeps the objects of a resource in memory until ctx ends or the resource is gone, and says whether they had
// all been read.
func (f *follower) inform(ctx context.Context, mapping *meta.RESTMapping) bool {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	informer, err := f.newInformer(mapping, stop)
	if err != nil {
		klog.FromContext(ctx).Error(err, "Cannot watch this kind", "kind", f.kind)
		return false
	}
	f.start(informer, mapping.Resource)
	defer f.start(nil, schema.GroupVersionResource{})
	informer.RunWithContext(ctx)
	return informer.HasSynced()
}

// newInformer returns an informer that calls gone when the API server no longer knows the resource.
func (f *follower) newInformer(mapping *meta.RESTMapping, gone func()) (cache.SharedIndexInformer, error) {
	client := f.options.Client.Resource(mapping.Resource).Namespace(f.options.Namespace)
	listWatch := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) {
			Fresh(&o)
			list, err := client.List(ctx, o)
			f.observe(ctx, err, gone)
			return list, err
		},
		WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
			w, err := client.Watch(ctx, o)
			f.observe(ctx, err, gone)
			return w, err
		},
	}
	informer := cache.NewSharedIndexInformer(
		cache.ToListWatcherWithWatchListSemantics(listWatch, f.options.Client),
		&metav1.PartialObjectMetadata{}, 0,
		cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc},
	)
	if err := informer.SetTransform(slim(mapping.GroupVersionKind)); err != nil {
		return nil, err
	}
	return informer, informer.SetWatchErrorHandlerWithContext(func(ctx context.Context, _ *cache.Reflector, err error) {
		f.report(ctx, err)
	})
}

// report logs why the informer lists again.
func (f *follower) report(ctx context.Context, err error) {
	logger := klog.FromContext(ctx).WithValues("kind", f.kind)
	switch {
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err): // These have been observed.
	case apierrors.IsResourceExpired(err), apierrors.IsGone(err), errors.Is(err, io.EOF):
		logger.V(4).Info("The watch has ended; will list again", "reason", err.Error())
	default:
		logger.Error(err, "Cannot watch this kind; will try again")
	}
}

// observe is told how each list and watch began.
func (f *follower) observe(ctx context.Context, err error, gone func()) {
	switch {
	case err == nil:
		f.setErr(nil)
	case apierrors.IsForbidden(err):
		// Also when they have been read before: what is in memory grows old unnoticed.
		if f.setErr(ErrForbidden) {
			klog.FromContext(ctx).Error(err, "The controller's role has to allow list and watch; will try again", "kind", f.kind)
		}
	case apierrors.IsNotFound(err):
		gone()
	}
}

func (f *follower) start(informer cache.SharedIndexInformer, resource schema.GroupVersionResource) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.informer, f.resource, f.err = informer, resource, nil
}

// setErr records why the objects cannot be read and says whether that is new.
func (f *follower) setErr(err error) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	changed := f.err != err
	f.err = err
	return changed
}

// slim returns a transform that drops what nobody reads, and names the kind, which lists of metadata do not.
func slim(kind schema.GroupVersionKind) cache.TransformFunc {
	return func(obj any) (any, error) {
		if m, ok := obj.(*metav1.PartialObjectMetadata); ok {
			m.SetGroupVersionKind(kind)
			m.ManagedFields = nil
		}
		return obj, nil
	}
}
