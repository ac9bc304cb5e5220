package objects_test

import (
	"context"
	"errors"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-logr/logr"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	kruntime "k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/objects"
)

func repositories() schema.GroupKind {
	return schema.GroupKind{Group: "source.toolkit.fluxcd.io", Kind: "GitRepository"}
}

func resource(version string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: version, Resource: "gitrepositories"}
}

func repository(namespace, name string, labels map[string]string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta: metav1.TypeMeta{APIVersion: "source.toolkit.fluxcd.io/v1", Kind: "GitRepository"},
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, Labels: labels,
			Annotations:   map[string]string{"keep": "this"},
			ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "large"}}},
	}
}

// fakeMapper serves versions of GitRepository, as the cluster may change them. It remembers what it last said until it
// is reset, as the real one does.
type fakeMapper struct {
	mu       sync.Mutex
	served   string
	known    string
	asked    bool
	err      error
	resets   int
	requests int
}

func (m *fakeMapper) RESTMappingWithContext(_ context.Context, kind schema.GroupKind, _ ...string) (*meta.RESTMapping, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.requests++
	if m.err != nil {
		return nil, m.err
	}
	if !m.asked {
		m.asked, m.known = true, m.served
	}
	if m.known == "" {
		return nil, &meta.NoKindMatchError{GroupKind: kind}
	}
	return &meta.RESTMapping{Resource: resource(m.known), GroupVersionKind: kind.WithVersion(m.known)}, nil
}

func (m *fakeMapper) ResetWithContext(context.Context) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.asked = false
	m.resets++
}

// hold has whoever asks wait until release is called.
func (m *fakeMapper) hold() (release func()) {
	m.mu.Lock()
	return m.mu.Unlock
}

func (m *fakeMapper) serve(version string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.served, m.err = version, err
}

// cluster is a fake API, whose answers to lists and watches can be made errors.
type cluster struct {
	*objects.Informers
	client *fake.FakeMetadataClient
	mapper *fakeMapper

	mu      sync.Mutex
	err     error
	lists   int
	watches []watch.Interface
}

// newCluster runs informers against a cluster with some GitRepositories.
func newCluster(t *testing.T, namespace string) *cluster {
	t.Helper()
	scheme := fake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	c := &cluster{
		client: fake.NewSimpleMetadataClient(scheme,
			repository("apps", "shop", map[string]string{"team": "a"}),
			repository("apps", "infra", map[string]string{"team": "b"}),
			repository("prod", "shop", map[string]string{"team": "a"})),
		mapper: &fakeMapper{served: "v1"},
	}
	c.client.PrependReactor("list", "*", func(action clienttesting.Action) (bool, kruntime.Object, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.lists++
		return c.err != nil, nil, c.err
	})
	c.client.PrependWatchReactor("*", func(action clienttesting.Action) (bool, watch.Interface, error) {
		c.mu.Lock()
		defer c.mu.Unlock()
		if c.err != nil {
			return true, nil, c.err
		}
		w, err := c.client.Tracker().Watch(action.GetResource(), action.GetNamespace())
		if err != nil {
			return true, nil, err
		}
		c.watches = append(c.watches, w)
		return true, w, nil
	})
	c.Informers = objects.New(objects.Options{Client: c.client, Mapper: c.mapper, Namespace: namespace})
	ctx, cancel := context.WithCancel(klog.NewContext(t.Context(), logr.Discard()))
	var run sync.WaitGroup
	run.Go(func() { c.Run(ctx) })
	t.Cleanup(func() {
		cancel()
		run.Wait()
	})
	return c
}

// answer makes the API answer lists and watches with err, and ends the watches that are under way.
func (c *cluster) answer(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
	for _, w := range c.watches {
		w.Stop()
	}
	c.watches = nil
}

func (c *cluster) listed() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.lists
}

// sleep lets virtual time go by.
func sleep(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

func (c *cluster) get() error {
	_, err := c.Get(repositories(), "apps", "shop")
	return err
}

func forbidden() error {
	return apierrors.NewForbidden(resource("v1").GroupResource(), "", errors.New("no"))
}

func notFound() error { return apierrors.NewNotFound(resource("v1").GroupResource(), "") }
