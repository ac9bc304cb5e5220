package secret

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"
)

// fixture is a store over a fake API server, whose metadata informer is filled by hand: the fake has no
// resourceVersions of its own.
type fixture struct {
	t        *testing.T
	client   *fake.Clientset
	metadata *handFilled
	wanted   atomic.Bool
	fail     atomic.Bool
	reads    atomic.Int32
	store    *Store
}

// handFilled is an informer that is told of events by the test.
type handFilled struct {
	cache.SharedIndexInformer
	handler cache.ResourceEventHandler
	ready   chan struct{}
}

func (h *handFilled) AddEventHandler(handler cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	h.handler = handler
	close(h.ready)
	return nil, nil
}

func (h *handFilled) RemoveEventHandler(cache.ResourceEventHandlerRegistration) error { return nil }

var name = types.NamespacedName{Namespace: "apps", Name: "auth"}

func newFixture(t *testing.T) *fixture {
	informer := cache.NewSharedIndexInformer(nil, &metav1.PartialObjectMetadata{}, 0, cache.Indexers{})
	f := &fixture{t: t, client: fake.NewClientset(), metadata: &handFilled{SharedIndexInformer: informer, ready: make(chan struct{})}}
	f.wanted.Store(true)
	f.client.PrependReactor("get", "secrets", func(clienttesting.Action) (bool, runtime.Object, error) {
		f.reads.Add(1)
		if f.fail.Load() {
			return true, nil, errors.New("the API server is down")
		}
		return false, nil, nil
	})
	f.store = NewStore(f.client.CoreV1(), f.metadata, func(types.NamespacedName) bool { return f.wanted.Load() }, StoreOptions{})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := f.store.Run(ctx); err != nil {
			t.Error(err)
		}
	}()
	t.Cleanup(func() { cancel(); <-done })
	<-f.metadata.ready
	return f
}

// put writes a Secret with a resourceVersion, and has the informer see it.
func (f *fixture) put(version, token string) {
	f.t.Helper()
	meta := metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name, ResourceVersion: version}
	s := &corev1.Secret{ObjectMeta: meta, Data: map[string][]byte{"token": []byte(token)}}
	tracker, secrets := f.client.Tracker(), corev1.SchemeGroupVersion.WithResource("secrets")
	err := tracker.Update(secrets, s, name.Namespace)
	if apierrors.IsNotFound(err) {
		err = tracker.Create(secrets, s, name.Namespace)
	}
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.metadata.GetIndexer().Add(&metav1.PartialObjectMetadata{ObjectMeta: meta}); err != nil {
		f.t.Fatal(err)
	}
	f.metadata.handler.OnUpdate(nil, &metav1.PartialObjectMetadata{ObjectMeta: meta})
}

// delete removes it.
func (f *fixture) delete() {
	f.t.Helper()
	if err := f.client.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("secrets"), name.Namespace, name.Name); err != nil {
		f.t.Fatal(err)
	}
	object := &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: name.Namespace, Name: name.Name}}
	if err := f.metadata.GetIndexer().Delete(object); err != nil {
		f.t.Fatal(err)
	}
	f.metadata.handler.OnDelete(cache.DeletedFinalStateUnknown{Key: name.String(), Obj: object})
}

// expect waits until Get returns the token, or an error of the kind.
func (f *fixture) expect(token string, kind error) {
	f.t.Helper()
	var last string
	for range 500 {
		s, err := f.store.Get(name.Namespace, name.Name)
		switch {
		case kind == nil && err == nil && string(s.Data["token"]) == token:
			return
		case kind != nil && errors.Is(err, kind):
			return
		}
		last = fmt.Sprint(s, err)
		time.Sleep(5 * time.Millisecond)
	}
	f.t.Fatalf("got %s, want %q, %v", last, token, kind)
}

func TestStoreFollowsASecret(t *testing.T) {
	f := newFixture(t)
	var changes atomic.Int32
	cancel := f.store.Subscribe(func(types.NamespacedName) { changes.Add(1) })
	f.expect("", ErrNotLoaded)
	if _, err := f.store.Get(name.Namespace, ""); !errors.Is(err, ErrNotFound) {
		t.Errorf("a Secret without a name: %v", err)
	}
	for _, impossible := range []string{"a/b", "..", "UPPER", "with space", strings.Repeat("x", 254), strings.Repeat("x", 1<<20)} {
		_, err := f.store.Get(name.Namespace, impossible)
		if !errors.Is(err, ErrNotFound) || !strings.Contains(err.Error(), `"`+impossible[:min(len(impossible), 100)]+`"`) || len(err.Error()) > 200 {
			t.Errorf("a Secret of the name %.10q: %.300v", impossible, err)
		}
	}
	f.put("1", "one")
	if f.reads.Load() != 0 {
		t.Error("a Secret that nobody refers to was read")
	}

	f.store.Reference(name)
	f.expect("one", nil)
	if !f.store.Attempted() {
		t.Error("not attempted after it has been read")
	}
	f.put("2", "two")
	f.expect("two", nil)
	f.delete()
	f.expect("", ErrNotFound)
	f.put("3", "three")
	f.expect("three", nil)
	if got := changes.Load(); got != 4 {
		t.Errorf("told of %d changes, want 4", got)
	}

	cancel()
	reads := f.reads.Load()
	f.store.Release(name)
	f.store.Reference(name)
	f.expect("three", nil)
	f.wanted.Store(false)
	f.store.Release(name)
	f.expect("", ErrNotLoaded)
	if f.reads.Load() != reads || changes.Load() != 4 {
		t.Error("read or told of a Secret that nobody refers to any more")
	}
}

func TestStoreKeepsTheLastValueThroughAnOutage(t *testing.T) {
	f := newFixture(t)
	f.put("1", "one")
	f.store.Reference(name)
	f.expect("one", nil)
	f.fail.Store(true)
	f.put("2", "two")
	reads := f.reads.Load()
	for f.reads.Load() < reads+2 {
		time.Sleep(time.Millisecond) // It goes on trying.
	}
	f.expect("one", nil)
	f.fail.Store(false)
	f.expect("two", nil)
}

func TestStoreThatCouldNeverRead(t *testing.T) {
	f := newFixture(t)
	f.fail.Store(true)
	f.store.Reference(name)
	for !f.store.Attempted() {
		time.Sleep(time.Millisecond)
	}
	f.expect("", ErrNotLoaded)
}
