package controller

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"sync"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

// FieldManager names this controller as the writer of fields.
const FieldManager = "notification-controller"

// Settings are what all controllers need.
type Settings struct {
	// Workers is how many objects are worked on at a time.
	Workers int
	// Events takes the Kubernetes Events about objects.
	Events   record.EventRecorder
	Observer Observer
	Queues   workqueue.MetricsProvider
}

// Follow has enqueue called for every object that there is, is created or deleted, and for every update that changed
// says is of interest. The result ends that.
func Follow[T metav1.Object](informer cache.SharedIndexInformer, changed func(before, after T) bool, enqueue func(cache.ObjectName)) (end func(), err error) {
	add := func(obj any) {
		if name, err := cache.DeletionHandlingObjectToName(obj); err == nil {
			enqueue(name)
		}
	}
	registration, err := informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: add,
		UpdateFunc: func(before, after any) {
			old, oldOK := before.(T)
			current, ok := after.(T)
			if oldOK && ok && changed(old, current) {
				add(after)
			}
		},
		DeleteFunc: add,
	})
	if err != nil {
		return nil, fmt.Errorf("watch: %w", err)
	}
	// It can only say that the handler is gone already.
	return func() { _ = informer.RemoveEventHandler(registration) }, nil
}

// SpecOrFinalizersChanged says whether an update is one that a controller without status has to look at.
func SpecOrFinalizersChanged[T metav1.Object](before, after T) bool {
	return before.GetGeneration() != after.GetGeneration() ||
		before.GetUID() != after.GetUID() ||
		HasLegacyFinalizer(after) && !HasLegacyFinalizer(before) ||
		(before.GetDeletionTimestamp() == nil) != (after.GetDeletionTimestamp() == nil)
}

// HasLegacyFinalizer says whether an older controller left its finalizer on the object.
func HasLegacyFinalizer(obj metav1.Object) bool {
	return slices.Contains(obj.GetFinalizers(), notification.LegacyFinalizer)
}

// Patch is the method of a generated client that patches an object.
type Patch[T any] func(ctx context.Context, name string, kind types.PatchType, patch []byte, o metav1.PatchOptions, subresources ...string) (T, error)

// RemoveLegacyFinalizer removes the finalizer, and no other, from the object as it was read, if it has it. An object that
// is gone is a success.
func RemoveLegacyFinalizer[T any](ctx context.Context, obj metav1.Object, patch Patch[T]) error {
	if !HasLegacyFinalizer(obj) {
		return nil
	}
	without, err := withoutLegacyFinalizer(obj)
	if err != nil {
		return err
	}
	_, err = patch(ctx, obj.GetName(), types.MergePatchType, without, metav1.PatchOptions{FieldManager: FieldManager})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("remove the finalizer of an older controller: %w", err)
	}
	return nil
}

// withoutLegacyFinalizer is a JSON merge patch; the resourceVersion keeps it from undoing what others do meanwhile.
func withoutLegacyFinalizer(obj metav1.Object) ([]byte, error) {
	rest := slices.DeleteFunc(slices.Clone(obj.GetFinalizers()), func(f string) bool { return f == notification.LegacyFinalizer })
	return json.Marshal(map[string]any{"metadata": map[string]any{
		"resourceVersion": obj.GetResourceVersion(),
		"finalizers":      rest,
	}})
}

// Warnings remembers what has been said about each object, so that it is said once.
type Warnings struct {
	mu   sync.Mutex
	said map[cache.ObjectName]string
}

// NewWarnings returns an empty memory.
func NewWarnings() *Warnings { return &Warnings{said: map[cache.ObjectName]string{}} }

// First says whether the text is news for this generation of the object.
func (w *Warnings) First(obj metav1.Object, text string) bool {
	key := cache.MetaObjectToName(obj)
	news := fmt.Sprintf("%s/%d/%s", obj.GetUID(), obj.GetGeneration(), text)
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.said[key] == news {
		return false
	}
	w.said[key] = news
	return true
}

// Forget is called when an object is gone, or has nothing wrong any more.
func (w *Warnings) Forget(key cache.ObjectName) {
	w.mu.Lock()
	defer w.mu.Unlock()
	delete(w.said, key)
}
