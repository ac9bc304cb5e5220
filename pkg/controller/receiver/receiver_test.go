package receiver

import (
	"errors"
	"fmt"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/controller"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/fake"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/source"
)

type failingSecrets struct{ err error }

func (s failingSecrets) Get(string, string) (*secret.Secret, error) { return nil, s.err }

// secrets have a token for each name.
type secrets map[string]string

func (s secrets) Get(_, name string) (*secret.Secret, error) {
	return &secret.Secret{Data: map[string][]byte{secret.KeyToken: []byte(s[name])}}, nil
}

type noMetrics struct{}

func (noMetrics) ObserveObject(string, string, string, time.Duration) {}
func (noMetrics) ForgetObject(string, string, string)                 {}

// TestSecretThatIsNotReadYet has a new Receiver, whose Secret is about to be read, and one whose Secret could not be read.
func TestSecretThatIsNotReadYet(t *testing.T) {
	r := &v1.Receiver{}
	r.Namespace, r.Name = "apps", "github"
	r.Spec.Type, r.Spec.SecretRef = "github", &v1.LocalObjectReference{Name: "token"}
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := indexer.Add(r); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		err    error
		failed bool
	}{
		{secret.ErrNotTried, false},
		{fmt.Errorf("%w: %w", secret.ErrNotLoaded, errors.New("forbidden")), true},
	} {
		events := record.NewFakeRecorder(10)
		c := New(Options{
			Settings: controller.Settings{Events: events},
			Lister:   listers.NewReceiverLister(indexer),
			Secrets:  failingSecrets{test.err},
			Check:    func(*v1.Receiver) *Problem { return nil },
			Objects:  noMetrics{},
		})
		result, err := c.sync(t.Context(), cache.MetaObjectToName(r))
		if (err != nil) != test.failed || (result.RequeueAfter > 0) == test.failed || (len(events.Events) > 0) != test.failed {
			t.Errorf("%v: got %+v, %v and %d Events", test.err, result, err, len(events.Events))
		}
	}
}

// TestEventsTellChanges has passes over a Receiver: only those that change its status are told of.
func TestEventsTellChanges(t *testing.T) {
	r := &v1.Receiver{}
	r.Namespace, r.Name, r.Generation = "apps", "github", 1
	r.Spec.Type, r.Spec.SecretRef = "github", &v1.LocalObjectReference{Name: "token"}
	client := fake.NewSimpleClientset(r.DeepCopy())
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	events := record.NewFakeRecorder(10)
	tokens := secrets{"token": "one"}
	c := New(Options{
		Settings: controller.Settings{Events: events},
		Client:   client.NotificationV1(),
		Lister:   listers.NewReceiverLister(indexer),
		Secrets:  tokens,
		Check:    func(*v1.Receiver) *Problem { return nil },
		Types:    func(string) (source.Type, bool) { return source.Type{}, true },
		Objects:  noMetrics{},
	})
	// pass is one with what is in the cluster by then.
	pass := func() int {
		t.Helper()
		now, err := client.NotificationV1().Receivers(r.Namespace).Get(t.Context(), r.Name, metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if err := indexer.Add(now); err != nil {
			t.Fatal(err)
		}
		if _, err := c.sync(t.Context(), cache.MetaObjectToName(r)); err != nil {
			t.Fatal(err)
		}
		told := len(events.Events)
		for range told {
			if e := <-events.Events; e != "Normal Succeeded Reconciliation finished, next run in 10m0s" {
				t.Errorf("got %q", e)
			}
		}
		return told
	}
	if first, second := pass(), pass(); first != 1 || second != 0 {
		t.Errorf("%d Events of the first pass, %d of the next", first, second)
	}
	tokens["token"] = "two"
	if rotated, after := pass(), pass(); rotated != 1 || after != 0 {
		t.Errorf("%d Events of the pass with a new token, %d of the next", rotated, after)
	}
}
