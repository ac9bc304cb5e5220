package app

import (
	"fmt"
	"net/http"
	"sync/atomic"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// backoffLimit is within what a watch that has failed for a while is tried again; client-go waits up to 30 seconds.
const backoffLimit = 90 * time.Second

// twoAlerts gives a namespace two Alerts for one sink, of which the test deletes the first while nobody watches.
func twoAlerts(t *testing.T, cp *apitest.ControlPlane, ns string, s *sink) {
	t.Helper()
	cp.Apply(t, alertAndProvider(ns, "first", "{type: generic, address: '"+s.URL+"/first'}")+
		alertAndProvider(ns, "second", "{type: generic, address: '"+s.URL+"/second'}"))
}

// changeAlerts deletes the first and creates a third one.
func changeAlerts(t *testing.T, cp *apitest.ControlPlane, ns string, s *sink) {
	t.Helper()
	cp.Kubectl(t, "-n", ns, "delete", "alert/first")
	cp.Apply(t, alertAndProvider(ns, "third", "{type: generic, address: '"+s.URL+"/third'}"))
}

// seesChanges waits until the controller knows of both changes, and has an event show it.
func (c *process) seesChanges(ns string, s *sink) {
	c.t.Helper()
	eventuallyWithin(c.t, backoffLimit, "the deleted Alert to be forgotten and the new one to be known", func() error {
		if _, err := c.informers.alertLister.Alerts(ns).Get("first"); err == nil {
			return fmt.Errorf("it still knows the first one")
		}
		if _, err := c.informers.Provider(ns, "third"); err != nil {
			return err
		}
		_, err := c.informers.alertLister.Alerts(ns).Get("third")
		return err
	})
	if status, _ := c.post(eventJSON(ns, "after the changes")); status != http.StatusAccepted {
		c.t.Errorf("status %d", status)
	}
	for _, r := range s.wait(c.t, 2, "after the changes") {
		if r.path == "/first" {
			c.t.Error("the deleted Alert still matches")
		}
	}
}

// accepts posts an event that has to be accepted, whatever happens to the API server, and be sent so many times.
func (c *process) accepts(ns string, s *sink, message string, times int) {
	c.t.Helper()
	if status, took := c.post(eventJSON(ns, message)); status != http.StatusAccepted || took > noWait {
		c.t.Errorf("event %q answered %d after %s", message, status, took)
	}
	s.wait(c.t, times, message)
}

// TestAPIServerIsUnreachable breaks every connection for a while, with changes made meanwhile.
func TestAPIServerIsUnreachable(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	twoAlerts(t, cp, ns, s)
	proxy := newAPIProxy(t, cp)
	c := start(t, cp, proxy.through(t, cp))
	proxy.set(unreachable)
	c.accepts(ns, s, "while it is unreachable", 2)
	changeAlerts(t, cp, ns, s)
	proxy.set(nil)
	c.seesChanges(ns, s)
	balance(t, ns, c)
}

// TestWatchExpires has every watch be too old to be resumed (410), with changes made meanwhile.
func TestWatchExpires(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	twoAlerts(t, cp, ns, s)
	proxy := newAPIProxy(t, cp)
	c := start(t, cp, proxy.through(t, cp))
	release := proxy.holdWatches(t, c, true)
	c.accepts(ns, s, "while nobody watches", 2)
	changeAlerts(t, cp, ns, s)
	release()
	c.seesChanges(ns, s)
	balance(t, ns, c)
}

// TestListsAreFresh has an API server that streams no lists, as older ones do not: what is listed at the start must not come
// from a cache of any age.
func TestListsAreFresh(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	cp.Apply(t, gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": planted}))
	proxy := newAPIProxy(t, cp)
	var lists, stale atomic.Int32
	proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
		query := r.URL.Query()
		switch {
		case query.Has("sendInitialEvents"):
			http.Error(w, "not supported", http.StatusBadRequest)
			return true
		case r.Method == http.MethodGet && !query.Has("watch") && query.Has("limit"):
			lists.Add(1)
			if query.Get("resourceVersion") == "0" {
				stale.Add(1)
			}
		}
		return false
	})
	start(t, cp, proxy.through(t, cp))
	// Those of Alerts, Providers, Receivers, Secrets and GitRepositories.
	if lists.Load() < 5 || stale.Load() > 0 {
		t.Errorf("%d of %d lists may be stale", stale.Load(), lists.Load())
	}
}

// TestAPIServerIsSlow has each answer take a second.
func TestAPIServerIsSlow(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	twoAlerts(t, cp, ns, s)
	proxy := newAPIProxy(t, cp)
	proxy.set(slow(time.Second))
	c := start(t, cp, proxy.through(t, cp))
	c.accepts(ns, s, "while it is slow", 2)
	changeAlerts(t, cp, ns, s)
	c.seesChanges(ns, s)
	balance(t, ns, c)
}

// TestAPIServerThrottles answers all requests of the controller with 429, at its start and later.
func TestAPIServerThrottles(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	twoAlerts(t, cp, ns, s)
	cp.Apply(t, gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": planted}))
	proxy := newAPIProxy(t, cp)
	var turned atomic.Int32
	proxy.set(func(w http.ResponseWriter, r *http.Request) bool {
		turned.Add(1)
		return throttling(w, r)
	})
	c := startUnready(t, cp, proxy.through(t, cp))
	eventually(t, "requests to be turned away", func() error {
		if n := turned.Load(); n < 5 {
			return fmt.Errorf("%d", n)
		}
		return nil
	})
	if c.checkReady() == nil {
		t.Error("ready without having read anything")
	}
	proxy.set(nil)
	eventuallyWithin(t, backoffLimit, "the controller to be ready", func() error { return c.checkReady() })
	path := receiver(t, cp, ns, "github", "True").Status.WebhookPath
	eventually(t, "the objects to be read", func() error {
		if status, text := c.call(path, planted, `{}`); status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", status, text)
		}
		return nil
	})

	proxy.set(throttling)
	c.accepts(ns, s, "while it throttles", 2)
	changeAlerts(t, cp, ns, s)
	before := annotation(t, cp, ns, "webapp")
	if status, text := c.call(path, planted, `{"n":2}`); status != http.StatusAccepted {
		t.Errorf("webhook answered %d %q", status, text)
	}
	proxy.set(nil)
	c.seesChanges(ns, s)
	eventuallyWithin(t, backoffLimit, "the annotation", func() error {
		if now := annotation(t, cp, ns, "webapp"); now == before {
			return fmt.Errorf("still %s", now)
		}
		return nil
	})
	balance(t, ns, c)
}

// TestEtcdIsCompacted cuts the controller off, and forgets what happened until it is back: the API server cannot tell it
// what it missed.
func TestEtcdIsCompacted(t *testing.T) {
	t.Parallel()
	cp := apitest.Start(t)
	install(t, cp)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	twoAlerts(t, cp, ns, s)
	proxy := newAPIProxy(t, cp)
	c := start(t, cp, proxy.through(t, cp))
	release := proxy.holdWatches(t, c, false)
	c.accepts(ns, s, "while it is cut off", 2)
	changeAlerts(t, cp, ns, s)
	cp.Compact(t)
	cp.Restart(t) // It has what is new in memory.
	release()
	c.seesChanges(ns, s)
	if proxy.gone.Load() == 0 {
		t.Error("the API server resumed every watch: nothing was forgotten")
	}
	balance(t, ns, c)
}

// TestCRDsAreRecreated deletes every CustomResourceDefinition, with all objects of the kinds, and creates them again.
func TestCRDsAreRecreated(t *testing.T) {
	t.Parallel()
	cp := apitest.Start(t)
	install(t, cp)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	release := make(chan struct{})
	hung := newSink(t, func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-release:
		case <-r.Context().Done():
		}
	})
	defer close(release)
	objects := alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}") +
		alertAndProvider(ns, "hung", "{type: generic, address: '"+hung.URL+"', timeout: 1s}") + gitRepository(ns, "webapp") +
		githubReceiver(ns, "github") + secretManifest(ns, "github", map[string]string{"token": planted})
	cp.Apply(t, objects)
	c := start(t, cp, nil)
	receiver(t, cp, ns, "github", "True")
	for i := range 50 {
		c.accepts(ns, s, fmt.Sprintf("before they go %d.", i), 1)
	}

	cp.Kubectl(t, "delete", "crd", "--all", "--wait=false")
	// The API server deletes all objects first. It looks at a kind that it could not get rid of when that changes, or five
	// minutes later.
	const nudge = 10 * time.Second
	changed := time.Now()
	eventuallyWithin(t, 3*time.Minute, "the kinds to be gone", func() error {
		left := cp.Kubectl(t, "get", "crd", "-o", "name")
		if left == "" {
			return nil
		}
		if time.Since(changed) > nudge {
			changed = time.Now()
			_, _ = cp.TryKubectl("", "annotate", "crd", "--all", "--overwrite", "changed="+changed.Format(time.RFC3339)) // Some may have gone.
		}
		return fmt.Errorf("there are still %s", left)
	})
	eventually(t, "the Alerts to be forgotten", func() error {
		if alerts := c.informers.alerts.GetStore().List(); len(alerts) > 0 {
			return fmt.Errorf("%d are known", len(alerts))
		}
		return nil
	})
	c.accepts(ns, s, "without kinds", 0)
	install(t, cp)
	cp.Apply(t, objects)
	eventuallyWithin(t, backoffLimit, "the kinds to be watched again", func() error {
		if _, err := c.informers.Provider(ns, "alert"); err != nil {
			return err
		}
		_, err := c.informers.alertLister.Alerts(ns).Get("alert")
		return err
	})
	c.accepts(ns, s, "when they are back", 1)
	var path string
	eventuallyWithin(t, backoffLimit, "the Receiver to be ready", func() error {
		r, err := c.informers.receiverLister.Receivers(ns).Get("github")
		if err != nil || r.Status.WebhookPath == "" {
			return fmt.Errorf("%v, %v", r, err)
		}
		path = r.Status.WebhookPath
		return nil
	})
	eventuallyWithin(t, backoffLimit, "the objects to be read", func() error {
		if status, text := c.call(path, planted, `{}`); status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", status, text)
		}
		return nil
	})
	if y := balance(t, ns, c); y.dropped == 0 || y.sent != 51 {
		t.Errorf("%+v", y)
	}
}
