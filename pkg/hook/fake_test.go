package hook

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/index"
	"github.com/notification-controller/notification-controller/pkg/objects"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/registry"
)

// The signed push of spec/receivers.md §5.4.
const (
	token         = "s3cr3t-webhook-token"
	githubPath    = "/hook/aaa2b174ee6df9f62876a02008d36a0efc200cd8bbc1b583a686cc8d4f920e14"
	githubBody    = `{"ref":"refs/heads/main","repository":{"full_name":"acme/shop"}}`
	githubSHA256  = "sha256=1a42b694b2278740ea64b15422659d3c115fb48cfc7c747007f11ad658dc5ae2"
	genericPath   = "/hook/4542529e6869be7035d5327219383da0e80f3c7eeeb4e3ac10ba74791baccc36"
	genericBody   = `{"image":"registry.example.com/shop:1.2.3"}`
	theNamespace  = "apps"
	githubName    = "gh-receiver"
	theSecret     = "webhook-token"
	gitRepository = "GitRepository"
)

// fixture is a Hook with everything around it faked; nothing of it waits for anything.
type fixture struct {
	*Hook
	receivers cache.Indexer
	secrets   fakeSecrets
	objects   *fakeObjects
	queue     *fakeQueue
	events    *record.FakeRecorder
	observer  *fakeObserver
	ready     bool
}

// newFixture has the given Receivers, their Secret, and two repositories.
func newFixture(t testing.TB, receivers ...*v1.Receiver) *fixture {
	t.Helper()
	informer := cache.NewSharedIndexInformer(&cache.ListWatch{}, &v1.Receiver{}, 0, cache.Indexers{})
	lookup, err := index.NewReceivers(informer)
	if err != nil {
		t.Fatal(err)
	}
	for _, receiver := range receivers {
		if err := informer.GetIndexer().Add(receiver); err != nil {
			t.Fatal(err)
		}
	}
	f := &fixture{
		receivers: informer.GetIndexer(),
		secrets:   fakeSecrets{theNamespace + "/" + theSecret: {"token": []byte(token)}},
		objects: &fakeObjects{byKind: map[string][]*metav1.PartialObjectMetadata{gitRepository: {
			object("shop", map[string]string{"team": "a"}),
			object("shop-infra", map[string]string{"team": "b"}),
		}}, errs: map[string]error{}},
		queue:    &fakeQueue{},
		events:   record.NewFakeRecorder(10),
		observer: &fakeObserver{},
		ready:    true,
	}
	f.Hook = New(Options{
		Receivers: lookup,
		Secrets:   f.secrets,
		Types:     registry.New().Lookup,
		Objects:   f.objects,
		Queue:     f.queue,
		Events:    f.events,
		Observer:  f.observer,
		Ready:     func() bool { return f.ready },

		MaxDeliveries: 100,
	})
	return f
}

// answer is what a caller gets.
type answer struct {
	status int
	text   string
	header http.Header
}

func (f *fixture) do(r *http.Request) answer {
	recorder := httptest.NewRecorder()
	f.Handler().ServeHTTP(recorder, r)
	return answer{recorder.Code, strings.TrimSpace(recorder.Body.String()), recorder.Header()}
}

// warnings returns the Kubernetes Events so far.
func (f *fixture) warnings() []string {
	var all []string
	for {
		select {
		case event := <-f.events.Events:
			all = append(all, event)
		default:
			return all
		}
	}
}

// receiver returns one of type github that is ready and names one repository.
func receiver(edits ...func(*v1.Receiver)) *v1.Receiver {
	r := &v1.Receiver{
		ObjectMeta: metav1.ObjectMeta{Namespace: theNamespace, Name: githubName, UID: githubName, Generation: 1},
		Spec: v1.ReceiverSpec{
			Type:      "github",
			SecretRef: &v1.LocalObjectReference{Name: theSecret},
			Resources: []v1.ResourceReference{{CrossNamespaceObjectReference: v1.CrossNamespaceObjectReference{
				Kind: gitRepository, Name: "shop",
			}}},
		},
		Status: v1.ReceiverStatus{
			WebhookPath: githubPath,
			Conditions:  []metav1.Condition{{Type: "Ready", Status: metav1.ConditionTrue}},
		},
	}
	for _, edit := range edits {
		edit(r)
	}
	return r
}

// entry returns a reference to GitRepositories.
func entry(name string, edits ...func(*v1.ResourceReference)) v1.ResourceReference {
	e := v1.ResourceReference{CrossNamespaceObjectReference: v1.CrossNamespaceObjectReference{Kind: gitRepository, Name: name}}
	for _, edit := range edits {
		edit(&e)
	}
	return e
}

func resources(entries ...v1.ResourceReference) func(*v1.Receiver) {
	return func(r *v1.Receiver) { r.Spec.Resources = entries }
}

func object(name string, labels map[string]string) *metav1.PartialObjectMetadata {
	return &metav1.PartialObjectMetadata{
		TypeMeta:   metav1.TypeMeta{APIVersion: "source.toolkit.fluxcd.io/v1", Kind: gitRepository},
		ObjectMeta: metav1.ObjectMeta{Namespace: theNamespace, Name: name, Labels: labels},
	}
}

// push returns the signed push.
func push(edits ...func(*http.Request)) *http.Request {
	r := httptest.NewRequest(http.MethodPost, githubPath, strings.NewReader(githubBody))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "push")
	r.Header.Set("X-Hub-Signature-256", githubSHA256)
	for _, edit := range edits {
		edit(r)
	}
	return r
}

func withHeader(name, value string) func(*http.Request) {
	return func(r *http.Request) {
		r.Header.Del(name)
		if value != "" {
			r.Header.Set(name, value)
		}
	}
}

func withTarget(target string) func(*http.Request) {
	return func(r *http.Request) { r.RequestURI = target }
}

// withBody sends a body of any length; with a length of -1 it comes in chunks.
func withBody(body io.Reader, length int64) func(*http.Request) {
	return func(r *http.Request) {
		r.Body = io.NopCloser(body)
		r.ContentLength = length
	}
}

type fakeSecrets map[string]map[string][]byte

func (s fakeSecrets) Get(namespace, name string) (*secret.Secret, error) {
	data, ok := s[namespace+"/"+name]
	switch {
	case !ok:
		return nil, fmt.Errorf("Secret '%s/%s': %w", namespace, name, secret.ErrNotFound)
	case data == nil:
		return nil, fmt.Errorf("Secret '%s/%s': %w", namespace, name, secret.ErrNotLoaded)
	}
	return &secret.Secret{Data: data}, nil
}

type fakeObjects struct {
	byKind map[string][]*metav1.PartialObjectMetadata
	// errs are by kind.
	errs map[string]error
}

func (o *fakeObjects) Get(kind schema.GroupKind, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	found, err := o.List(kind, namespace, labels.Everything())
	if err != nil {
		return nil, err
	}
	for _, m := range found {
		if m.Name == name {
			return m, nil
		}
	}
	return nil, fmt.Errorf("%s %s/%s: %w", kind.Kind, namespace, name, objects.ErrNotFound)
}

func (o *fakeObjects) List(kind schema.GroupKind, namespace string, selector labels.Selector) ([]*metav1.PartialObjectMetadata, error) {
	if err := o.errs[kind.Kind]; err != nil {
		return nil, fmt.Errorf("list %s in %s: %w", kind.Kind, namespace, err)
	}
	var found []*metav1.PartialObjectMetadata
	for _, m := range o.byKind[kind.Kind] {
		if m.Namespace == namespace && selector.Matches(labels.Set(m.Labels)) {
			found = append(found, m)
		}
	}
	return found, nil
}

func (o *fakeObjects) Resource(kind schema.GroupKind) (schema.GroupVersionResource, error) {
	return schema.GroupVersionResource{Group: kind.Group, Version: "v1", Resource: strings.ToLower(kind.Kind) + "s"}, o.errs[kind.Kind]
}

type fakeQueue struct {
	targets []Target
	at      time.Time
	gone    func()
}

func (q *fakeQueue) Annotate(_ *v1.Receiver, targets []Target, at time.Time, gone func()) {
	q.targets, q.at, q.gone = append(q.targets, targets...), at, gone
}

// names are the objects that were handed over.
func (q *fakeQueue) names() []string {
	var names []string
	for _, target := range q.targets {
		names = append(names, target.Name)
	}
	return names
}

type fakeObserver struct {
	mu       sync.Mutex
	webhooks []string
	previous []string
	writes   []string
}

func (o *fakeObserver) ObservePreviousToken(receiverType string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.previous = append(o.previous, receiverType)
}

func (o *fakeObserver) ObserveWebhook(receiverType, outcome string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.webhooks = append(o.webhooks, receiverType+" "+outcome)
}

func (o *fakeObserver) ObserveAnnotate(outcome string, _ time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writes = append(o.writes, outcome)
}

func (o *fakeObserver) outcomes() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.writes)
}

// constant returns a verifier with one answer.
func constant(err error) func(string) (source.Type, bool) {
	return func(name string) (source.Type, bool) {
		return source.Type{Name: name, Verifier: source.VerifierFunc(
			func(r *source.Request, _ map[string][]byte) (source.Result, error) {
				return source.Result{Payload: r.Body}, err
			})}, true
	}
}
