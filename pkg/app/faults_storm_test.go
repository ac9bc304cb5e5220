package app

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned"
)

// TestAlertsChangeDuringAStorm changes every Alert while events for all of them come: each still matches, once.
func TestAlertsChangeDuringAStorm(t *testing.T) {
	t.Parallel()
	alerts := scale(300, 10_000)
	// Of its own: the controllers of other tests would have to read all of these Alerts.
	cp := apitest.Start(t)
	install(t, cp)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	_, target := pair(ns, "sink", s.URL)
	createPairs(t, cp, alerts, func(i int) (*v1beta3.Alert, *v1beta3.Provider) {
		alert, _ := pair(ns, fmt.Sprintf("app-%d", i), "")
		alert.Spec.ProviderRef.Name = target.Name
		if i == 0 {
			return alert, target
		}
		return alert, nil
	})
	c := start(t, cp, func(o *Options) { o.Queue.PerProvider = 1_000_000; o.Queue.Total = 1_000_000 })
	client := versioned.NewForConfigOrDie(cp.Config()).NotificationV1beta3().Alerts(ns)

	load := newStorm(t, func(n int) (int, error) {
		body := strings.Replace(eventJSON(ns, fmt.Sprintf("during the storm %d.", n)), `"shop"`, fmt.Sprintf(`"app-%d"`, n%alerts), 1)
		status, _ := c.post(body)
		return status, nil
	})
	const editors = 4
	var all sync.WaitGroup
	for editor := range editors {
		all.Go(func() {
			for i := editor; i < alerts; i += editors {
				patch, _ := json.Marshal(map[string]any{"spec": map[string]any{
					"eventMetadata": map[string]string{"edit": fmt.Sprint(i)}, "exclusionList": []string{fmt.Sprintf("^never %d$", i)},
				}})
				if _, err := client.Patch(t.Context(), fmt.Sprintf("app-%d", i), types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	all.Wait()
	load.wait(t, 100)
	load.end()
	y := balance(t, ns, c)
	if accepted := int(load.accepted.Load()); y.matches != accepted || y.sent != accepted || s.distinct("") != accepted || load.refused.Load() > 0 {
		t.Errorf("%d accepted, %d refused, %d arrived: %+v", accepted, load.refused.Load(), s.distinct(""), y)
	}
}

// TestNamespaceIsEmptied deletes a namespace with all that is in it while notifications are on their way through it.
func TestNamespaceIsEmptied(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	release := make(chan struct{})
	s := newSink(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, secretRef: {name: address}}")+
		secretManifest(ns, "address", map[string]string{"address": s.URL})+
		gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": planted}))
	c := start(t, cp, nil)
	c.settle(ns, "alert")
	path := receiver(t, cp, ns, "github", "True").Status.WebhookPath
	load := newStorm(t, func(n int) (int, error) {
		status, _ := c.post(eventJSON(ns, fmt.Sprintf("while it is emptied %d.", n)))
		return status, nil
	})
	load.wait(t, 100)
	cp.Kubectl(t, "delete", "namespace", ns, "--wait=false")
	cp.FinalizeNamespace(t, ns)
	eventually(t, "all objects to be forgotten", func() error {
		waiting, _ := c.queue.Len()
		_, err := c.informers.alertLister.Alerts(ns).Get("alert")
		_, providerErr := c.informers.Provider(ns, "alert")
		if waiting > 0 || err == nil || providerErr == nil {
			return fmt.Errorf("%d notifications wait; Alert: %v, Provider: %v", waiting, err, providerErr)
		}
		return nil
	})
	close(release)
	load.wait(t, 100)
	load.end()
	eventually(t, "the path to be unknown", func() error {
		if status, _ := c.call(path, planted, `{}`); status != http.StatusNotFound {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	if y := balance(t, ns, c); load.refused.Load() > 0 || y.dropped == 0 {
		t.Errorf("%d refused: %+v", load.refused.Load(), y)
	}
	eventually(t, "the queue of the Provider to be gone", func() error {
		if _, lanes := c.queue.Len(); lanes > 0 {
			return fmt.Errorf("%d are left", lanes)
		}
		return nil
	})
}

// TestSlowClients has callers send their headers slowly, half a body, or nothing at all: they are hung up on, and cost
// nobody else anything.
func TestSlowClients(t *testing.T) {
	t.Parallel()
	const clients = 50
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}"))
	c := start(t, cp, nil)
	c.settle(ns, "alert")
	var open sync.WaitGroup
	for _, text := range []string{
		"",
		"POST / HTTP/1.1\r\nHost: x\r\nX-Slow: ",
		"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n{\"message\":",
	} {
		for range clients {
			for _, address := range []string{c.EventsAddress(), c.ReceiverAddress()} {
				conn, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := io.WriteString(conn, text); err != nil {
					t.Fatal(err)
				}
				open.Go(func() {
					defer conn.Close()
					// Until the server has had enough, which is after half a minute at most.
					_ = conn.SetReadDeadline(time.Now().Add(time.Minute))
					if _, err := io.Copy(io.Discard, conn); err != nil {
						t.Errorf("%q: %v", text, err)
					}
				})
			}
		}
	}
	const events = 20
	for i := range events {
		c.accepts(ns, s, fmt.Sprintf("beside the slow ones %d.", i), 1)
	}
	open.Wait()
	c.accepts(ns, s, "after the slow ones", 1)
	if want := fmt.Sprintf("notification_events_total{result=%q} %d\n", "unreadable", clients); !strings.Contains(c.exposed(), want) {
		t.Errorf("the metrics lack %s", want)
	}
	if y := balance(t, ns, c); y.sent != events+1 {
		t.Errorf("%+v", y)
	}
}
