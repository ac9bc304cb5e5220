package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// noWait is less than what waits for an API server, or an endpoint, that hangs would take. How fast an answer is, make bench
// measures.
const noWait = 8 * time.Second

// median of some durations.
func median(durations []time.Duration) time.Duration {
	slices.Sort(durations)
	return durations[len(durations)/2]
}

// TestAPIServerHangs stops the API server in its tracks: events and webhooks go on without it.
func TestAPIServerHangs(t *testing.T) {
	t.Parallel()
	cp := apitest.Start(t)
	install(t, cp)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic-hmac, secretRef: {name: hmac}}")+
		secretManifest(ns, "hmac", map[string]string{"token": planted, "address": s.URL + "/hook"})+
		gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": planted}))
	c := start(t, cp, nil)
	c.settle(ns, "alert")
	path := receiver(t, cp, ns, "github", "True").Status.WebhookPath
	eventually(t, "the objects to be read", func() error {
		if status, text := c.call(path, planted, `{}`); status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", status, text)
		}
		return nil
	})
	eventually(t, "the first annotation", func() error {
		if annotation(t, cp, ns, "webapp") == "" {
			return fmt.Errorf("none")
		}
		return nil
	})
	before := annotation(t, cp, ns, "webapp")

	cp.Pause(t)
	resumed := false
	defer func() {
		if !resumed {
			cp.Resume(t)
		}
	}()
	var answers []time.Duration
	for i := range 20 {
		status, took := c.post(eventJSON(ns, fmt.Sprintf("while it hangs %d", i)))
		if status != http.StatusAccepted || took > noWait {
			t.Errorf("event answered %d after %s", status, took)
		}
		answers = append(answers, took)
	}
	t.Logf("events answered after %s", median(answers))
	for _, r := range s.wait(t, 20, "while it hangs") {
		if r.header.Get("X-Signature") == "" {
			t.Error("delivered without the Secret's signature")
		}
	}
	answers = nil
	for range 20 {
		begin := time.Now()
		if status, text := c.call(path, planted, `{"n":2}`); status != http.StatusAccepted {
			t.Errorf("webhook answered %d %q", status, text)
		}
		answers = append(answers, time.Since(begin))
	}
	t.Logf("webhooks answered after %s", median(answers))
	if status, _ := c.call(path, "wrong", `{}`); status != http.StatusUnauthorized {
		t.Errorf("wrong signature answered %d", status)
	}
	cp.Resume(t)
	resumed = true
	balance(t, ns, c)
	eventually(t, "the annotation after the API server is back", func() error {
		if now := annotation(t, cp, ns, "webapp"); now == before {
			return fmt.Errorf("still %s", now)
		}
		return nil
	})
}

// TestLeaderElectionSurvivesAnOutage keeps the API server stopped for longer than the Lease lasts.
func TestLeaderElectionSurvivesAnOutage(t *testing.T) {
	if testing.Short() {
		t.Skip("takes more than a minute")
	}
	t.Parallel()
	cp := apitest.Start(t)
	install(t, cp)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}")+
		githubReceiver(ns, "before")+secretManifest(ns, "before", map[string]string{"token": planted}))
	c := start(t, cp, func(o *Options) { o.LeaderElection = true })
	receiver(t, cp, ns, "before", "True")
	c.settle(ns, "alert")

	cp.Pause(t)
	const outage = 60 * time.Second
	for i := range 6 {
		time.Sleep(outage / 6)
		if status, took := c.post(eventJSON(ns, fmt.Sprintf("during the outage %d", i))); status != http.StatusAccepted || took > noWait {
			t.Errorf("event answered %d after %s", status, took)
		}
	}
	cp.Resume(t)
	s.wait(t, 6, "during the outage")
	select {
	case err := <-c.done:
		c.done <- err
		t.Fatalf("the controller ended: %v", err)
	default:
	}
	// Somebody reconciles again: the Lease is held.
	cp.Apply(t, githubReceiver(ns, "after")+secretManifest(ns, "after", map[string]string{"token": planted}))
	receiver(t, cp, ns, "after", "True")
	balance(t, ns, c)
}

// TestAPIServerRestarts sees what changed while nobody watched.
func TestAPIServerRestarts(t *testing.T) {
	t.Parallel()
	cp := apitest.Start(t)
	install(t, cp)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "first", "{type: generic, address: '"+s.URL+"/first'}"))
	c := start(t, cp, nil)
	c.settle(ns, "first")
	cp.Stop(t)
	if status, took := c.post(eventJSON(ns, "while it is down")); status != http.StatusAccepted || took > noWait {
		t.Errorf("event answered %d after %s", status, took)
	}
	s.wait(t, 1, "while it is down")
	cp.Restart(t)
	cp.Apply(t, alertAndProvider(ns, "second", "{type: generic, address: '"+s.URL+"/second'}"))
	c.settle(ns, "second")
	c.post(eventJSON(ns, "when it is back"))
	s.wait(t, 2, "when it is back")
	balance(t, ns, c)
}

// TestNotReady refuses what it could not match yet.
func TestNotReady(t *testing.T) {
	t.Parallel()
	cp := apitest.Start(t)
	install(t, cp)
	config := cp.TokenConfig(t, "flux-system", "notification-controller")
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}"))
	cp.Stop(t)
	c := startUnready(t, cp, func(o *Options) { o.Kubeconfig = config })
	if status, _ := c.post(eventJSON(ns, "too early")); status != http.StatusServiceUnavailable {
		t.Errorf("status %d before the caches are synced", status)
	}
	if status, _ := c.call("/hook/"+strings.Repeat("0", 64), "x", "{}"); status != http.StatusServiceUnavailable {
		t.Errorf("webhook answered %d before the caches are synced", status)
	}
	if resp, err := http.Get("http://" + c.HealthAddress() + "/readyz"); err != nil || resp.StatusCode == http.StatusOK {
		t.Errorf("readyz: %v, %v", resp, err)
	}
	if resp, err := http.Get("http://" + c.HealthAddress() + "/healthz"); err != nil || resp.StatusCode != http.StatusOK {
		t.Errorf("healthz: %v, %v", resp, err)
	}
	cp.Restart(t)
	eventually(t, "the event to be taken", func() error {
		if status, _ := c.post(eventJSON(ns, "too early")); status != http.StatusAccepted {
			return fmt.Errorf("status %d", status)
		}
		return nil
	})
	s.wait(t, 1, "too early")
	balance(t, ns, c)
}
