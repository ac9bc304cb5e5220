package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/controller"
	deliverycontroller "github.com/notification-controller/notification-controller/pkg/controller/delivery"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned"
	notificationv1beta3 "github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/typed/notification/v1beta3"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// lastDelivery waits until an Alert and its Provider of the same name tell of a delivery, and returns the Alert.
func lastDelivery(t *testing.T, cp *apitest.ControlPlane, namespace, name string) (*v1beta3.Alert, *v1beta3.Provider) {
	t.Helper()
	client := versioned.NewForConfigOrDie(cp.Config()).NotificationV1beta3()
	var alert *v1beta3.Alert
	var p *v1beta3.Provider
	eventually(t, "the status of "+name, func() (err error) {
		if alert, err = client.Alerts(namespace).Get(t.Context(), name, metav1.GetOptions{}); err != nil {
			return err
		}
		if p, err = client.Providers(namespace).Get(t.Context(), name, metav1.GetOptions{}); err != nil {
			return err
		}
		if alert.Status.LastDelivery == nil || p.Status.LastDelivery == nil {
			return errors.New("no last delivery")
		}
		return nil
	})
	return alert, p
}

// TestDeliveryStatus looks at what Alerts and Providers tell of the last delivery.
func TestDeliveryStatus(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	good := newSink(t, nil)
	refusing := newSink(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no such webhook: "+r.URL.Path, http.StatusNotFound)
	})
	c := start(t, cp, nil)
	cp.Apply(t, alertAndProvider(ns, "good", "{type: generic, address: '"+good.URL+"'}")+
		alertAndProvider(ns, "refused", "{type: generic, address: '"+refusing.URL+"/"+planted+"'}"))
	c.settle(ns, "good", "refused")
	passes := func() string {
		return strings.Join(linesWith(c.exposition(), `controller_runtime_reconcile_total{controller="alert"`), "")
	}
	before := passes()
	if status, _ := c.post(eventJSON(ns, "hello")); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}

	alert, p := lastDelivery(t, cp, ns, "good")
	if d := alert.Status.LastDelivery; d.Result != "sent" || d.Error != "" || d.Provider != "good" || d.Object != "Kustomization/"+ns+"/shop" {
		t.Errorf("the good Alert tells %+v", d)
	}
	if d := p.Status.LastDelivery; d.Result != "sent" || d.Error != "" {
		t.Errorf("the good Provider tells %+v", d)
	}
	alert, p = lastDelivery(t, cp, ns, "refused")
	for _, d := range []v1beta3.Delivery{alert.Status.LastDelivery.Delivery, *p.Status.LastDelivery} {
		if d.Result != "failed" || d.Reason != "not_found" || !strings.Contains(d.Error, "404") || !strings.Contains(d.Error, "check spec.address") ||
			strings.Contains(d.Error, planted) || time.Since(d.Time.Time) > time.Minute {
			t.Errorf("the refused ones tell %+v", d)
		}
	}
	if alert.Generation != 1 || p.Generation != 1 {
		t.Errorf("generations are %d and %d: the status counts as an edit", alert.Generation, p.Generation)
	}
	eventually(t, "the cache to have the status", func() error {
		cached, err := c.informers.alertLister.Alerts(ns).Get("refused")
		if err == nil && cached.Status.LastDelivery == nil {
			err = errors.New("no last delivery")
		}
		return err
	})
	if after := passes(); after != before {
		t.Errorf("writing the status had Alerts reconciled:\n%s%s", before, after)
	}

	// Another replica, whose clock is a little ahead.
	later := time.Now().Add(20 * time.Second).UTC().Format(time.RFC3339)
	cp.Apply(t, alertAndProvider(ns, "elsewhere", "{type: generic, address: '"+good.URL+"'}"))
	cp.Kubectl(t, "-n", ns, "patch", "alert", "elsewhere", "--subresource=status", "--type=merge", "-p",
		`{"status":{"lastDelivery":{"time":"`+later+`","result":"dropped"}}}`)
	eventually(t, "the cache to have the other replica's status", func() error {
		cached, err := c.informers.alertLister.Alerts(ns).Get("elsewhere")
		if err == nil && cached.Status.LastDelivery == nil {
			err = errors.New("no last delivery")
		}
		return err
	})
	c.post(eventJSON(ns, "hello again"))
	if alert, _ = lastDelivery(t, cp, ns, "elsewhere"); alert.Status.LastDelivery.Result != "dropped" {
		t.Errorf("an older delivery has replaced a newer one: %+v", alert.Status.LastDelivery)
	}
	if !strings.Contains(c.exposition(), `notification_cache_synced{kind="Secret"} 1`) {
		t.Error("the metrics do not tell that Secrets have been read")
	}
}

// passCount counts the passes that ended with another one to come.
type passCount struct{ repeated atomic.Int32 }

func (p *passCount) LoopStarted(string, int) {}
func (p *passCount) ReconcileStarted(string) {}

func (p *passCount) ObserveReconcile(_ string, r controller.Result, _ error, _ time.Duration) {
	if r.RequeueAfter > 0 {
		p.repeated.Add(1)
	}
}

// runDelivery runs a delivery controller until the test ends. Its cache has one Alert.
func runDelivery(t *testing.T, client notificationv1beta3.NotificationV1beta3Interface, observer controller.Observer, alert *v1beta3.Alert) (*deliverycontroller.Controller, cache.Indexer) {
	t.Helper()
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := indexer.Add(alert); err != nil {
		t.Fatal(err)
	}
	status := deliverycontroller.New(deliverycontroller.Options{
		Settings: controller.Settings{Observer: observer}, Client: client, Alerts: listers.NewAlertLister(indexer),
	})
	ctx, stop := context.WithCancel(t.Context())
	var running sync.WaitGroup
	running.Go(func() { status.Run(ctx) })
	t.Cleanup(func() {
		stop()
		running.Wait()
	})
	return status, indexer
}

// TestDeliveryStatusConflict writes from a cache that is behind.
func TestDeliveryStatusConflict(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	cp.Apply(t, alertAndProvider(ns, "edited", "{type: generic, address: 'http://127.0.0.1:1'}"))
	client := versioned.NewForConfigOrDie(cp.Config()).NotificationV1beta3()
	stale, err := client.Alerts(ns).Get(t.Context(), "edited", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	current, err := client.Alerts(ns).Patch(t.Context(), "edited", types.MergePatchType, []byte(`{"spec":{"suspend":true}}`), metav1.PatchOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var passes passCount
	status, indexer := runDelivery(t, client, &passes, stale)
	status.Record(deliverycontroller.Outcome{
		Time: time.Now(), Result: "sent", Alert: provider.Object{Namespace: ns, Name: "edited", UID: string(stale.UID)},
	})
	eventually(t, "the conflict", func() error {
		if passes.repeated.Load() == 0 {
			return errors.New("no pass yet")
		}
		return nil
	})
	if now, _ := client.Alerts(ns).Get(t.Context(), "edited", metav1.GetOptions{}); now.ResourceVersion != current.ResourceVersion {
		t.Errorf("written over what the cache did not show: %+v", now.Status)
	}
	if err := indexer.Update(current); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the status after the conflict", func() error {
		now, err := client.Alerts(ns).Get(t.Context(), "edited", metav1.GetOptions{})
		if err == nil && (now.Status.LastDelivery == nil || !now.Spec.Suspend) {
			err = fmt.Errorf("%+v", now)
		}
		return err
	})
}

// lastWait is how long the last pass waits for the next one.
type lastWait struct{ atomic.Int64 }

func (w *lastWait) LoopStarted(string, int) {}
func (w *lastWait) ReconcileStarted(string) {}

func (w *lastWait) ObserveReconcile(_ string, r controller.Result, _ error, _ time.Duration) {
	w.Store(int64(r.RequeueAfter))
}

// TestDeliveryStatusWithoutRoom has an Alert that is as large as etcd takes one.
func TestDeliveryStatusWithoutRoom(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	client := versioned.NewForConfigOrDie(cp.Config()).NotificationV1beta3()
	alert := func(size int) (*v1beta3.Alert, error) {
		return client.Alerts(ns).Create(t.Context(), &v1beta3.Alert{
			ObjectMeta: metav1.ObjectMeta{Name: "large"},
			Spec: v1beta3.AlertSpec{
				ProviderRef:   v1beta3.LocalObjectReference{Name: "any"},
				EventSources:  []v1beta3.CrossNamespaceObjectReference{{Kind: "Kustomization", Name: "*"}},
				EventMetadata: map[string]string{"team": strings.Repeat("x", size)},
			},
		}, metav1.CreateOptions{})
	}
	// The status takes more than the least step.
	var large *v1beta3.Alert
	for size, step := 1_500_000, 64_000; step > 200; {
		created, err := alert(size + step)
		if err != nil {
			step /= 2
			continue
		}
		size, large = size+step, created
		if err := client.Alerts(ns).Delete(t.Context(), "large", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	large, err := alert(len(large.Spec.EventMetadata["team"]))
	if err != nil {
		t.Fatal(err)
	}

	var wait lastWait
	status, _ := runDelivery(t, client, &wait, large)
	status.Record(deliverycontroller.Outcome{
		Time: time.Now(), Result: "failed", Error: strings.Repeat("e", 500), Alert: provider.Object{Namespace: ns, Name: "large", UID: string(large.UID)},
	})
	eventually(t, "the refusal", func() error {
		if wait.Load() == 0 {
			return errors.New("no pass yet")
		}
		return nil
	})
	if got := time.Duration(wait.Load()); got != time.Hour {
		t.Errorf("tried again after %s, want an hour", got)
	}
}

// TestForeignManifests delivers under a CRD without the status of Alerts, as Flux has it, and a role without the right to
// that of Providers.
func TestForeignManifests(t *testing.T) {
	t.Parallel()
	cp := apitest.Start(t)
	install(t, cp)
	cp.Kubectl(t, "patch", "crd", "alerts.notification.toolkit.fluxcd.io", "--type=json", "-p", `[{"op":"replace","path":"/spec/versions/0/subresources","value":{}}]`)
	cp.Kubectl(t, "patch", "clusterrole", "notification-controller", "--type=json", "-p", `[{"op":"replace","path":"/rules/1/resources","value":["alerts/status","receivers/status"]}]`)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}"))
	c := start(t, cp, nil)
	c.settle(ns, "alert")
	const line = "cannot be written, so that it does not tell of the last delivery"
	complaints := func() int { return len(linesWith(linesOf(logs.String(), line), ns)) }
	c.post(eventJSON(ns, "first"))
	eventually(t, "a line in the log for each", func() error {
		if n := complaints(); n != 2 {
			return fmt.Errorf("%d lines", n)
		}
		return nil
	})
	for i := range 20 {
		c.post(eventJSON(ns, fmt.Sprintf("more %d", i)))
	}
	s.wait(t, 21, "")
	c.shutdown()
	if n := complaints(); n != 2 {
		t.Errorf("it goes on complaining: %d lines", n)
	}
}

func linesOf(text, part string) string { return strings.Join(linesWith(text, part), "") }
