package app

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

const (
	// answerLimit is what callers wait at most, whatever happens elsewhere. It is for the median of several calls: any
	// single one may have to wait for the processor, which is shared with everything else that is tested.
	answerLimit = 50 * time.Millisecond
	// noWait is less than anything that waits for the API server takes.
	noWait = 2 * time.Second
)

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
	if took := median(answers); took > answerLimit {
		t.Errorf("events answered after %s", took)
	}
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
	if took := median(answers); took > answerLimit {
		t.Errorf("webhooks answered after %s", took)
	}
	if status, _ := c.call(path, "wrong", `{}`); status != http.StatusUnauthorized {
		t.Errorf("wrong signature answered %d", status)
	}
	cp.Resume(t)
	resumed = true
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
}

// TestShutdownDelivers is SIGTERM with notifications queued for a slow endpoint.
func TestShutdownDelivers(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	slow := newSink(t, func(http.ResponseWriter, *http.Request) { time.Sleep(3 * time.Second) })
	cp.Apply(t, alertAndProvider(ns, "slow", "{type: generic, address: '"+slow.URL+"'}"))
	c := start(t, cp, nil)
	c.settle(ns, "slow")
	for i := range 40 {
		if status, _ := c.post(eventJSON(ns, fmt.Sprintf("queued %d", i))); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	c.shutdown()
	if got := len(slow.got("queued")); got != 40 {
		t.Errorf("%d of 40 arrived before the exit", got)
	}
}

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
	if took := time.Since(begin); took > 2*time.Second {
		t.Errorf("the other Provider had to wait for %s", took)
	}

	// With the Provider goes what waits for it.
	cp.Kubectl(t, "-n", ns, "delete", "provider", "hung")
	eventually(t, "the queue of the deleted Provider to be gone", func() error {
		if waiting, _ := c.queue.Len(); waiting > 0 {
			return fmt.Errorf("%d wait", waiting)
		}
		return nil
	})
	if !strings.Contains(c.exposition(), `reason="provider_deleted",result="dropped",type="generic"`) {
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
		if time.Since(begin) > 2*time.Second {
			t.Fatal("the rotated Secret is not used after two seconds")
		}
	}
	t.Logf("used after %s", time.Since(begin))
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
}
