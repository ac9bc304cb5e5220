package hook

import (
	"context"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/metadata/fake"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/record"
)

func gitRepositories() schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
}

func target(name string) Target {
	return Target{Kind: gitRepository, Resource: gitRepositories(), Namespace: theNamespace, Name: name}
}

// annotated is an Annotator with the API that it writes to.
type annotated struct {
	*Annotator
	client   *fake.FakeMetadataClient
	events   *record.FakeRecorder
	observer *fakeObserver
	// stop ends Run and waits for it.
	stop func()

	mu sync.Mutex
	// patch is called with each patch before it takes effect; an error is the API's answer.
	patch func(clienttesting.PatchAction) error
}

// newAnnotated runs an Annotator; the API has the objects shop and shop-infra.
func newAnnotated(t *testing.T) *annotated {
	t.Helper()
	scheme := fake.NewTestScheme()
	if err := metav1.AddMetaToScheme(scheme); err != nil {
		t.Fatal(err)
	}
	a := &annotated{
		client:   fake.NewSimpleMetadataClient(scheme, object("shop", nil), object("shop-infra", nil)),
		events:   record.NewFakeRecorder(10),
		observer: &fakeObserver{},
	}
	a.client.PrependReactor("patch", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		a.mu.Lock()
		defer a.mu.Unlock()
		if a.patch == nil {
			return false, nil, nil
		}
		err := a.patch(action.(clienttesting.PatchAction))
		return err != nil, nil, err
	})
	a.Annotator = NewAnnotator(AnnotatorOptions{Client: a.client, Events: a.events, Observer: a.observer})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		a.Run(ctx)
	}()
	a.stop = func() { cancel(); <-done }
	t.Cleanup(a.stop)
	return a
}

// onPatch sets what the API does from now on.
func (a *annotated) onPatch(do func(clienttesting.PatchAction) error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.patch = do
}

func (a *annotated) value(t *testing.T, name string) string {
	t.Helper()
	m, err := a.client.Resource(gitRepositories()).Namespace(theNamespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return m.Annotations["reconcile.fluxcd.io/requestedAt"]
}

// patches are those that the API got so far.
func (a *annotated) patches() []clienttesting.PatchAction {
	var patches []clienttesting.PatchAction
	for _, action := range a.client.Actions() {
		if patch, ok := action.(clienttesting.PatchAction); ok {
			patches = append(patches, patch)
		}
	}
	return patches
}

func unavailable(clienttesting.PatchAction) error { return apierrors.NewServiceUnavailable("planted") }

// optionsClient remembers how it was called.
type optionsClient struct {
	metadata.Interface
	metadata.Getter
	options  metav1.PatchOptions
	deadline time.Duration
}

func (c *optionsClient) Resource(schema.GroupVersionResource) metadata.Getter { return c }
func (c *optionsClient) Namespace(string) metadata.ResourceInterface          { return c }
func (c *optionsClient) Patch(ctx context.Context, _ string, _ types.PatchType, _ []byte, o metav1.PatchOptions, _ ...string) (*metav1.PartialObjectMetadata, error) {
	deadline, _ := ctx.Deadline()
	c.options, c.deadline = o, time.Until(deadline)
	return nil, nil
}

// hangingClient answers when its context ends.
type hangingClient struct {
	metadata.Interface
	metadata.Getter
}

func (c *hangingClient) Resource(schema.GroupVersionResource) metadata.Getter { return c }
func (c *hangingClient) Namespace(string) metadata.ResourceInterface          { return c }
func (c *hangingClient) Patch(ctx context.Context, _ string, _ types.PatchType, _ []byte, _ metav1.PatchOptions, _ ...string) (*metav1.PartialObjectMetadata, error) {
	<-ctx.Done()
	return nil, ctx.Err()
}
