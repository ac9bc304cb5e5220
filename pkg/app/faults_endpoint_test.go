package app

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestHungEndpoint posts ten thousand events for an endpoint that never answers.
func TestHungEndpoint(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	release := make(chan struct{})
	hung := newSink(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	well := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "hung", "{type: generic, address: '"+hung.URL+"'}")+
		strings.Replace(alertAndProvider(ns, "well", "{type: generic, address: '"+well.URL+"'}"), "'*'", "other", 1))
	c := start(t, cp, func(o *Options) { o.ShutdownTimeout = time.Second })
	c.settle(ns, "hung", "well")

	const events = 10_000
	var senders sync.WaitGroup
	for worker := range 16 {
		senders.Go(func() {
			for i := worker; i < events; i += 16 {
				if status, _ := c.post(eventJSON(ns, fmt.Sprintf("for the hung one %d", i))); status != http.StatusAccepted {
					t.Errorf("status %d", status)
				}
			}
		})
	}
	senders.Wait()
	if waiting, _ := c.queue.Len(); waiting > c.options.Queue.PerProvider {
		t.Errorf("%d wait, want at most %d", waiting, c.options.Queue.PerProvider)
	}
	begin := time.Now()
	c.post(strings.Replace(eventJSON(ns, "for the other one"), `"shop"`, `"other"`, 1))
	well.wait(t, 1, "for the other one")
	if took := time.Since(begin); took > noWait {
		t.Errorf("the other Provider had to wait for %s: an attempt of the one that hangs takes 15s", took)
	}

	// With the Provider goes what waits for it.
	cp.Kubectl(t, "-n", ns, "delete", "provider", "hung")
	eventually(t, "the queue of the deleted Provider to be gone", func() error {
		if waiting, _ := c.queue.Len(); waiting > 0 {
			return fmt.Errorf("%d wait", waiting)
		}
		return nil
	})
	c.shutdown() // It has a second for what is under way.
	// The Alert of the hung one selects the other event too.
	if y := balance(t, ns, c); y.matches != events+2 || y.sent != 1 {
		t.Errorf("%+v", y)
	}
	if !strings.Contains(c.exposed(), `reason="provider_deleted",result="dropped",type="generic"`) {
		t.Error("the drops are not counted")
	}
}

// TestConnectionsAreKept counts what a thousand notifications open.
func TestConnectionsAreKept(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}"))
	c := start(t, cp, nil)
	c.settle(ns, "alert")
	var senders sync.WaitGroup
	for worker := range 8 {
		senders.Go(func() {
			for i := range 125 {
				c.post(eventJSON(ns, fmt.Sprintf("notification %d of %d", i, worker)))
			}
		})
	}
	senders.Wait()
	s.wait(t, 1000, "notification")
	if s.connections >= 50 {
		t.Errorf("%d connections for 1,000 notifications", s.connections)
	}
	t.Logf("%d connections for 1,000 notifications", s.connections)
	balance(t, ns, c)
}

// TestRotatedSecret is used within two seconds, without a label.
func TestRotatedSecret(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, secretRef: {name: auth}}")+secretManifest(ns, "auth", map[string]string{"address": s.URL + "/old"}))
	c := start(t, cp, nil)
	c.settle(ns, "alert")
	c.post(eventJSON(ns, "with the old one"))
	s.wait(t, 1, "with the old one")

	cp.Apply(t, secretManifest(ns, "auth", map[string]string{"address": s.URL + "/new"}))
	begin := time.Now()
	for i := 0; ; i++ {
		c.post(eventJSON(ns, fmt.Sprintf("rotated %d", i)))
		if got := s.wait(t, i+1, "rotated"); got[i].path == "/new" {
			break
		}
		if time.Since(begin) > patience {
			t.Fatal("the rotated Secret is not used")
		}
	}
	t.Logf("used after %s", time.Since(begin))
}
