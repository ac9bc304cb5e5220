package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"k8s.io/client-go/tools/cache"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/fake"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// cluster has one Alert that is looked at, another one, and a Provider. Its API server keeps the first one's
// resourceVersions, and can be made to refuse.
type cluster struct {
	*Controller
	t          *testing.T
	begin      time.Time
	stop       context.CancelFunc
	alerts     cache.Indexer
	providers  cache.Indexer
	mu         sync.Mutex
	writes     []write
	alert      *v1beta3.Alert
	patchError error
	// ownError is a patchError of the first Alert only.
	ownError error
	getError error
	// withoutField has the API server drop what is written.
	withoutField bool
}

// write is one that the API server took, with the time since the start of the test.
type write struct {
	resource string
	at       time.Duration
	fields   map[string]any
}

func newCluster(t *testing.T) *cluster {
	c := &cluster{
		t: t, begin: time.Now(),
		alerts:    cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}),
		providers: cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{cache.NamespaceIndex: cache.MetaNamespaceIndexFunc}),
		alert:     &v1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "alert", UID: "alert-uid", ResourceVersion: "1"}},
	}
	c.show(c.alert)
	c.show(&v1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "other", UID: "other-uid", ResourceVersion: "1"}})
	if err := c.providers.Add(&v1beta3.Provider{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "slack", UID: "slack-uid", ResourceVersion: "1"}}); err != nil {
		t.Fatal(err)
	}
	client := fake.NewClientset()
	client.PrependReactor("patch", "*", c.patch)
	client.PrependReactor("get", "*", func(clienttesting.Action) (bool, runtime.Object, error) { return true, c.alert, c.getError })
	c.Controller = New(Options{
		Client: client.NotificationV1beta3(), Alerts: listers.NewAlertLister(c.alerts), Providers: listers.NewProviderLister(c.providers),
	})
	return c
}

// run starts the controller, and ends it with the test.
func (c *cluster) run() {
	ctx, stop := context.WithCancel(c.t.Context())
	var running sync.WaitGroup
	running.Go(func() { c.Run(ctx) })
	c.stop = func() {
		stop()
		running.Wait()
	}
}

func (c *cluster) show(a *v1beta3.Alert) {
	if err := c.alerts.Update(a); err != nil {
		c.t.Error(err)
	}
}

func (c *cluster) patch(action clienttesting.Action) (bool, runtime.Object, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	patch := action.(clienttesting.PatchAction)
	if patch.GetSubresource() != "status" || patch.GetPatchType() != types.MergePatchType {
		c.t.Errorf("a patch of %q of type %s", patch.GetSubresource(), patch.GetPatchType())
	}
	var content struct {
		Metadata struct{ ResourceVersion string }
		Status   struct{ LastDelivery map[string]any }
	}
	if err := json.Unmarshal(patch.GetPatch(), &content); err != nil {
		c.t.Error(err)
	}
	c.writes = append(c.writes, write{patch.GetResource().Resource, time.Since(c.begin), content.Status.LastDelivery})
	if c.patchError != nil {
		return true, nil, c.patchError
	}
	if patch.GetName() == "other" {
		return true, &v1beta3.Alert{Status: v1beta3.AlertStatus{LastDelivery: &v1beta3.AlertDelivery{}}}, nil
	}
	if c.ownError != nil && patch.GetName() == c.alert.Name {
		return true, nil, c.ownError
	}
	if patch.GetResource().Resource == "providers" {
		return true, &v1beta3.Provider{Status: v1beta3.ProviderStatus{LastDelivery: &v1beta3.Delivery{}}}, nil
	}
	if content.Metadata.ResourceVersion != c.alert.ResourceVersion {
		return true, nil, apierrors.NewConflict(v1beta3.Resource("alerts"), "alert", errors.New("changed meanwhile"))
	}
	if c.withoutField {
		return true, c.alert, nil
	}
	at, err := time.Parse(time.RFC3339, content.Status.LastDelivery["time"].(string))
	if err != nil {
		c.t.Error(err)
	}
	c.change(at)
	c.show(c.alert)
	return true, c.alert, nil
}

// change has the API server store another delivery.
func (c *cluster) change(at time.Time) {
	next := c.alert.DeepCopy()
	next.ResourceVersion += "1"
	next.Status.LastDelivery = &v1beta3.AlertDelivery{Delivery: v1beta3.Delivery{Time: metav1.NewTime(at)}}
	c.alert = next
}

func (c *cluster) record(result, text string) { c.recordOf("alert", result, text) }

// recordOf records the outcome of a notification of the Alert.
func (c *cluster) recordOf(alert, result, text string) {
	c.Record(Outcome{
		Time: time.Now(), Result: result, Error: text,
		Object: event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: "shop"},
		Alert:  provider.Object{Namespace: "apps", Name: alert, UID: alert + "-uid"},
		// Without UID: the Provider does not exist.
		Provider: provider.Object{Namespace: "apps", Name: "slack"},
	})
}

// check compares the attempts to write so far.
func (c *cluster) check(want ...string) {
	c.t.Helper()
	synctest.Wait()
	c.mu.Lock()
	defer c.mu.Unlock()
	var got []string
	for _, w := range c.writes {
		text := fmt.Sprintf("%s %s %v", w.resource, w.at.Truncate(time.Second), w.fields["result"])
		if w.fields["error"] != nil {
			text += " " + w.fields["error"].(string)
		}
		got = append(got, text)
	}
	if strings.Join(got, "\n") != strings.Join(want, "\n") {
		c.t.Errorf("writes:\n%s\nwant:\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func (c *cluster) known() int {
	c.Controller.mu.Lock()
	defer c.Controller.mu.Unlock()
	return len(c.entries)
}

func TestOnceAMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.run()
		defer c.stop()
		c.record("sent", "")
		c.check("alerts 0s sent")
		for i := range 50 {
			time.Sleep(time.Second)
			c.record("failed", fmt.Sprint(i))
		}
		c.check("alerts 0s sent")
		time.Sleep(15 * time.Second)
		c.check("alerts 0s sent", "alerts 1m0s failed 49")
		time.Sleep(10 * time.Second)
		c.record("sent", "")
		time.Sleep(4 * time.Minute)
		c.check("alerts 0s sent", "alerts 1m0s failed 49", "alerts 2m0s sent")
		if n := c.known(); n != 0 {
			t.Errorf("%d objects are remembered without need", n)
		}
		c.record("failed", "after a pause, at once")
		c.check("alerts 0s sent", "alerts 1m0s failed 49", "alerts 2m0s sent", "alerts 5m15s failed after a pause, at once")
	})
}

func TestFields(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.run()
		defer c.stop()
		c.Record(Outcome{
			Time: time.Now(), Result: "failed", Reason: "auth", Error: "401\n" + strings.Repeat("long ", 1000),
			Object:   event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: "shop"},
			Alert:    provider.Object{Namespace: "apps", Name: "alert", UID: "alert-uid"},
			Provider: provider.Object{Namespace: "apps", Name: "slack", UID: "slack-uid"},
		})
		synctest.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.writes) != 2 {
			t.Fatalf("writes %v, want one to each object", c.writes)
		}
		for _, w := range c.writes {
			text := w.fields["error"].(string)
			if len(text) > maxError || !strings.HasPrefix(text, "401 long long") || w.fields["reason"] != "auth" || w.fields["time"] != "2000-01-01T00:00:00Z" {
				t.Errorf("%s: %v", w.resource, w.fields)
			}
			if ofAlert := w.resource == "alerts"; ofAlert != (w.fields["provider"] == "slack") || ofAlert != (w.fields["object"] == "Kustomization/apps/shop") {
				t.Errorf("%s: %v", w.resource, w.fields)
			}
		}
	})
}

// TestFieldsAreBounded has an event and an Alert name what cannot exist.
func TestFieldsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.run()
		defer c.stop()
		long := strings.Repeat("x", 1<<20)
		c.Record(Outcome{
			Time: time.Now(), Result: "failed", Reason: "config", Error: long,
			Object:   event.ObjectReference{Kind: long, Namespace: long, Name: long, UID: long, APIVersion: long, ResourceVersion: long, FieldPath: long},
			Alert:    provider.Object{Namespace: "apps", Name: "alert", UID: "alert-uid"},
			Provider: provider.Object{Namespace: "apps", Name: long},
		})
		c.Controller.mu.Lock()
		for _, e := range c.entries {
			if held := len(fmt.Sprint(e.latest)); held > 2<<10 {
				t.Errorf("%d bytes are remembered", held)
			}
		}
		c.Controller.mu.Unlock()
		synctest.Wait()
		c.mu.Lock()
		defer c.mu.Unlock()
		if len(c.writes) != 1 || len(fmt.Sprint(c.writes[0].fields)) > 2<<10 || !strings.HasSuffix(c.writes[0].fields["provider"].(string), "x…") {
			t.Errorf("writes of %d bytes, want one of at most 2 KiB", len(fmt.Sprint(c.writes)))
		}
	})
}

// TestEmptyFields has a success take away what a failure said.
func TestEmptyFields(t *testing.T) {
	patch, err := json.Marshal(commonFields(Outcome{Result: "sent"}))
	if err != nil || !strings.Contains(string(patch), `"error":null,"reason":null`) {
		t.Errorf("%s, %v", patch, err)
	}
}

func TestNewerWins(t *testing.T) {
	for _, tt := range []struct {
		name string
		// ahead is how much later the delivery is that is there already.
		ahead time.Duration
		want  []string
	}{
		{"older", -time.Second, []string{"alerts 0s sent"}},
		{"of the same time", 0, []string{"alerts 0s sent"}},
		{"newer", time.Second, nil},
		{"of a clock that is not to be believed", time.Hour, []string{"alerts 0s sent"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				c.change(time.Now().Add(tt.ahead))
				c.show(c.alert)
				c.run()
				defer c.stop()
				c.record("sent", "")
				c.check(tt.want...)
			})
		})
	}
}

// TestConflict has another replica write what the cache does not show yet.
func TestConflict(t *testing.T) {
	for _, tt := range []struct {
		name  string
		ahead time.Duration
		want  []string
	}{
		{"with an older one", -time.Second, []string{"alerts 0s sent", "alerts 1s sent", "alerts 2s sent"}},
		{"with a newer one", time.Second, []string{"alerts 0s sent", "alerts 1s sent"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				c.change(time.Now().Add(tt.ahead))
				c.run()
				defer c.stop()
				c.record("sent", "")
				time.Sleep(conflictWait + conflictWait/2)
				c.show(c.alert)
				time.Sleep(5 * time.Minute)
				c.check(tt.want...)
			})
		})
	}
}

func TestGone(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.run()
		defer c.stop()
		other := c.alert.DeepCopy()
		other.UID = "of another Alert of the name"
		c.show(other)
		c.record("sent", "")
		c.check()
		if err := c.alerts.Delete(other); err != nil {
			t.Fatal(err)
		}
		c.record("sent", "")
		c.check()
		if n := c.known(); n != 0 {
			t.Errorf("%d objects that do not exist are remembered", n)
		}
		// Deleted, but still in the cache.
		c.show(c.alert)
		c.patchError = apierrors.NewNotFound(v1beta3.Resource("alerts"), "alert")
		c.getError = c.patchError
		c.record("sent", "")
		time.Sleep(time.Hour)
		c.check("alerts 0s sent")
	})
}

// TestRefused gives up for an hour, whatever comes.
func TestRefused(t *testing.T) {
	alerts := schema.GroupResource{Resource: "alerts"}
	for name, set := range map[string]func(*cluster){
		"no subresource": func(c *cluster) { c.patchError = apierrors.NewNotFound(alerts, "alert") },
		"no field":       func(c *cluster) { c.withoutField = true },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				set(c)
				c.run()
				defer c.stop()
				for range 59 {
					c.record("sent", "")
					time.Sleep(time.Minute)
				}
				c.check("alerts 0s sent")
				time.Sleep(time.Minute)
				c.record("failed", "an hour later")
				c.check("alerts 0s sent", "alerts 1h0m0s failed an hour later")
				if n := c.known(); n != 0 {
					t.Errorf("%d objects are remembered", n)
				}
			})
		})
	}
}

// TestRejected leaves the one Alert alone whose status is refused, but no other one.
func TestRejected(t *testing.T) {
	alerts := schema.GroupResource{Resource: "alerts"}
	for name, err := range map[string]error{
		"invalid":   apierrors.NewInvalid(v1beta3.SchemeGroupVersion.WithKind("Alert").GroupKind(), "alert", nil),
		"forbidden": apierrors.NewForbidden(alerts, "alert", errors.New("a policy is against it")),
		"too large": apierrors.NewRequestEntityTooLargeError("limit is 3145728"),
		// As the API server answers what etcd says.
		"too large for etcd": &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: 500, Message: "etcdserver: request is too large"}},
		"too large to be sent": &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: 500,
			Message: "rpc error: code = ResourceExhausted desc = trying to send message larger than max (2097410 vs. 2097152)"}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t)
				c.ownError = err
				c.run()
				defer c.stop()
				c.record("sent", "first")
				c.check("alerts 0s sent first")
				for i := range 3 {
					time.Sleep(10 * time.Minute)
					c.record("failed", "first")
					c.recordOf("other", "sent", fmt.Sprint("other ", i))
				}
				others := []string{"alerts 0s sent first", "alerts 10m0s sent other 0", "alerts 20m0s sent other 1", "alerts 30m0s sent other 2"}
				time.Sleep(29 * time.Minute)
				c.check(others...)
				c.mu.Lock()
				c.ownError = nil
				c.mu.Unlock()
				time.Sleep(10 * time.Minute)
				c.check(append(others, "alerts 1h0m0s failed first")...)
				if n := c.known(); n != 0 {
					t.Errorf("%d objects are remembered without need", n)
				}
			})
		})
	}
}

// TestForbidden takes it for a missing right if it comes for two Alerts in a row, and asks again in an hour.
func TestForbidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.patchError = apierrors.NewForbidden(schema.GroupResource{Resource: "alerts"}, "alert", errors.New("no"))
		c.run()
		defer c.stop()
		c.record("sent", "first")
		for range 3 {
			time.Sleep(time.Minute)
			c.recordOf("other", "sent", "other")
		}
		time.Sleep(58 * time.Minute)
		want := []string{"alerts 0s sent first", "alerts 1m0s sent other"}
		c.check(want...)
		c.mu.Lock()
		c.patchError = nil
		c.mu.Unlock()
		time.Sleep(time.Minute)
		c.recordOf("other", "failed", "an hour later")
		c.record("failed", "an hour later")
		c.check(append(want, "alerts 1h2m0s failed an hour later", "alerts 1h2m0s failed an hour later")...)
	})
}

// TestOutage tries again once a minute, with what is the latest then.
func TestOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.patchError = apierrors.NewInternalError(errors.New("down"))
		c.run()
		defer c.stop()
		c.record("sent", "")
		time.Sleep(90 * time.Second)
		c.record("failed", "meanwhile")
		time.Sleep(10 * time.Second)
		c.mu.Lock()
		c.patchError = nil
		c.mu.Unlock()
		time.Sleep(5 * time.Minute)
		c.check("alerts 0s sent", "alerts 1m0s sent", "alerts 2m0s failed meanwhile")
	})
}

// TestShutdownWithinTheMinute leaves out what would be too soon.
func TestShutdownWithinTheMinute(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		c.run()
		c.record("sent", "")
		c.check("alerts 0s sent")
		c.record("failed", "shut down")
		c.stop()
		c.check("alerts 0s sent")
	})
}

// TestShutdown writes what comes at the very end.
func TestShutdown(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t)
		ctx, stop := context.WithCancel(t.Context())
		stop()
		c.record("failed", "shut down")
		c.Run(ctx)
		c.check("alerts 0s failed shut down")
	})
}

func TestBounded(t *testing.T) {
	c := newCluster(t)
	for i := range maxSubjects + 100 {
		c.Record(Outcome{Alert: provider.Object{Name: fmt.Sprint(i)}})
	}
	if n := c.known(); n != maxSubjects {
		t.Errorf("%d objects are remembered, want %d", n, maxSubjects)
	}
}

// BenchmarkRecord is what a notification costs on its way.
func BenchmarkRecord(b *testing.B) {
	c := New(Options{})
	o := Outcome{
		Time: time.Now(), Result: "sent",
		Object:   event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: "shop"},
		Alert:    provider.Object{Namespace: "apps", Name: "alert", UID: "0c6b8d6e-6a0f-4c5a-9d0e-5d5f6f1d2a3b"},
		Provider: provider.Object{Namespace: "apps", Name: "slack", UID: "1c6b8d6e-6a0f-4c5a-9d0e-5d5f6f1d2a3b"},
	}
	b.ReportAllocs()
	for b.Loop() {
		c.Record(o)
	}
}
