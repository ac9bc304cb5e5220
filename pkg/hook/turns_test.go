package hook

import (
	"net/http"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

// slowObjects are found slowly in one namespace.
type slowObjects struct {
	Objects
	slow string
	took time.Duration

	mu             sync.Mutex
	asking, atOnce int
}

func (o *slowObjects) Get(kind schema.GroupKind, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	if namespace == o.slow {
		o.ask(1)
		time.Sleep(o.took)
		o.ask(-1)
	}
	return o.Objects.Get(kind, namespace, name)
}

func (o *slowObjects) ask(more int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.asking += more
	o.atOnce = max(o.atOnce, o.asking)
}

// TestTurns has more calls to a Receiver at once than are worked on at a time.
func TestTurns(t *testing.T) {
	const calls = 3 * maxTurns
	for _, test := range []struct {
		name     string
		took     time.Duration
		accepted int
	}{
		{"quick enough", turnLimit / 3, calls},
		{"too slow", turnLimit + time.Second, maxTurns},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				other := receiver(func(r *v1.Receiver) {
					r.Namespace, r.UID = "other", "other"
					r.Status.WebhookPath = r.WebhookPathFor(token)
				})
				f := newFixture(t, receiver(), other)
				f.secrets["other/"+theSecret] = f.secrets[theNamespace+"/"+theSecret]
				foreign := object("shop", nil)
				foreign.Namespace = "other"
				f.objects.byKind[gitRepository] = append(f.objects.byKind[gitRepository], foreign)
				objects := &slowObjects{Objects: f.objects, slow: theNamespace, took: test.took}
				f.Hook.Objects = objects
				f.Hook.Queue = nowhere{}
				answers := make(chan answer, calls)
				for range calls {
					go func() { answers <- f.do(push()) }()
				}
				synctest.Wait()
				start := time.Now()
				if got := f.do(push(withTarget(other.Status.WebhookPath))); got.status != http.StatusAccepted || time.Since(start) > 0 {
					t.Errorf("another namespace: %d %q after %s", got.status, got.text, time.Since(start))
				}
				var got, want []int
				for i := range calls {
					got = append(got, (<-answers).status)
					want = append(want, http.StatusAccepted)
					if i >= test.accepted {
						want[i] = http.StatusServiceUnavailable
					}
				}
				slices.Sort(got)
				if !slices.Equal(got, want) || objects.atOnce != maxTurns {
					t.Errorf("got %v with %d at once, want %v", got, objects.atOnce, want)
				}
				if len(f.turns.namespaces) != 0 {
					t.Errorf("%d namespaces are kept that are not called", len(f.turns.namespaces))
				}
			})
		})
	}
}

// nowhere is a queue of which nothing is asked.
type nowhere struct{}

func (nowhere) Annotate(*v1.Receiver, []Target, time.Time, func()) {}
