package hook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/objects"
)

// fixedMapper knows one resource.
type fixedMapper struct{}

func (fixedMapper) RESTMappingWithContext(_ context.Context, kind schema.GroupKind, _ ...string) (*meta.RESTMapping, error) {
	return &meta.RESTMapping{Resource: gitRepositories(), GroupVersionKind: kind.WithVersion("v1")}, nil
}
func (fixedMapper) ResetWithContext(context.Context) {}

// TestFlow takes calls from the handler to the API, with nothing in between faked: also one that comes, and whose
// caller goes, while the API is down.
func TestFlow(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := receiver(resources(entry("*", func(e *v1.ResourceReference) {
			e.MatchLabels = map[string]string{}
			e.Filter = "req.repository.full_name == 'acme/' + res.metadata.name"
		})))
		f := newFixture(t, r)
		a := newAnnotated(t)
		informers := objects.New(objects.Options{Client: a.client, Mapper: fixedMapper{}})
		f.Objects, f.Queue = informers, a.Annotator
		ctx, cancel := context.WithCancel(t.Context())
		var run sync.WaitGroup
		run.Go(func() { informers.Run(ctx) })
		defer run.Wait()
		defer cancel()

		if got := f.do(push()); got.status != http.StatusServiceUnavailable {
			t.Errorf("before the Receiver's kinds are wanted: got %d %s", got.status, got.text)
		}
		informers.Want(r.UID, objects.ForReceiver(r))
		synctest.Wait()

		if got := f.do(push()); got.status != http.StatusAccepted {
			t.Fatalf("got %d %s", got.status, got.text)
		}
		synctest.Wait()
		first := a.value(t, "shop")
		if first != time.Now().UTC().Format(time.RFC3339Nano) || a.value(t, "shop-infra") != "" {
			t.Errorf("shop has %q, shop-infra %q", first, a.value(t, "shop-infra"))
		}

		time.Sleep(time.Second)
		a.onPatch(func(clienttesting.PatchAction) error { return errors.New("connection refused") })
		hungUp, hangUp := context.WithCancel(t.Context())
		got := f.do(push().WithContext(hungUp))
		hangUp()
		if got.status != http.StatusAccepted {
			t.Fatalf("with the API down: got %d %s", got.status, got.text)
		}
		time.Sleep(time.Minute)
		a.onPatch(nil)
		time.Sleep(maxBackoff)
		synctest.Wait()
		if value := a.value(t, "shop"); value <= first {
			t.Errorf("not annotated after the API was back: %q, then %q", first, value)
		}
	})
}

// TestCallersThatHangUpAreServed has a caller that is gone before the filters are asked.
func TestCallersThatHangUpAreServed(t *testing.T) {
	f := newFixture(t, receiver(func(r *v1.Receiver) {
		r.Spec.ResourceFilter = "[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, a+b+c > 0)))"
	}))
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := f.do(push().WithContext(gone)); got.status != http.StatusAccepted || len(f.queue.targets) != 1 {
		t.Errorf("got %d %s and handed %q over", got.status, got.text, f.queue.names())
	}
}

// BenchmarkWildcard answers a call for 1,000 objects, each of which is filtered.
func BenchmarkWildcard(b *testing.B) {
	r := receiver(resources(entry("*", func(e *v1.ResourceReference) {
		e.MatchLabels = map[string]string{}
		e.Filter = "req.ref == 'refs/heads/main' && res.metadata.name.startsWith('app')"
	})))
	f := newFixture(b, r)
	var all []*metav1.PartialObjectMetadata
	for i := range 1000 {
		all = append(all, object(fmt.Sprintf("app-%d", i), map[string]string{"team": "a"}))
	}
	f.objects.byKind[gitRepository] = all
	for b.Loop() {
		f.queue.targets = f.queue.targets[:0]
		if got := f.do(push()); got.status != http.StatusAccepted || len(f.queue.targets) != 1000 {
			b.Fatalf("got %d %s", got.status, got.text)
		}
	}
}
