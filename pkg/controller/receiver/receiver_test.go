package receiver

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/controller"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

type failingSecrets struct{ err error }

func (s failingSecrets) Get(string, string) (*secret.Secret, error) { return nil, s.err }

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
