package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// storm posts events from several senders, some hundreds a second, until it is stopped.
type storm struct {
	stop     context.CancelFunc
	senders  sync.WaitGroup
	accepted atomic.Int32
	// refused counts the events that were answered otherwise, or not at all.
	refused atomic.Int32
}

// newStorm begins one; post returns the status of the answer to the n-th event, or an error if there is none.
func newStorm(t *testing.T, post func(n int) (int, error)) *storm {
	const senders, pace = 8, 10 * time.Millisecond
	ctx, stop := context.WithCancel(t.Context())
	s := &storm{stop: stop}
	var n atomic.Int32
	for range senders {
		s.senders.Go(func() {
			for ctx.Err() == nil {
				if status, err := post(int(n.Add(1))); err == nil && status == http.StatusAccepted {
					s.accepted.Add(1)
				} else {
					s.refused.Add(1)
				}
				time.Sleep(pace)
			}
		})
	}
	t.Cleanup(s.end)
	return s
}

// wait waits until so many more events have been accepted.
func (s *storm) wait(t *testing.T, more int32) {
	t.Helper()
	goal := s.accepted.Load() + more
	eventually(t, fmt.Sprintf("%d events to be accepted", more), func() error {
		if now := s.accepted.Load(); now < goal {
			return fmt.Errorf("%d are missing", goal-now)
		}
		return nil
	})
}

func (s *storm) end() {
	s.stop()
	s.senders.Wait()
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
	balance(t, ns, c)
	if got := len(slow.got("queued")); got != 40 {
		t.Errorf("%d of 40 arrived before the exit", got)
	}
}

// TestLateCallers is SIGTERM while events and webhooks still come, on new connections: they are taken until the cluster has
// had the time to see that the Pod is ending.
func TestLateCallers(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}")+
		gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": planted}))
	c := start(t, cp, func(o *Options) { o.ShutdownDelay, o.ShutdownTimeout = 15*time.Second, 40*time.Second })
	c.settle(ns, "alert")
	path := receiver(t, cp, ns, "github", "True").Status.WebhookPath
	c.knows(path)
	c.stop()
	eventually(t, "the Pod not to be ready", func() error {
		if c.checkReady() == nil {
			return errors.New("it is")
		}
		return nil
	})
	if status, _ := c.post(eventJSON(ns, "late")); status != http.StatusAccepted {
		t.Errorf("a late event: status %d", status)
	}
	if status, text := c.call(path, planted, `{}`); status != http.StatusAccepted {
		t.Errorf("a late webhook: status %d %q", status, text)
	}
	c.shutdown()
	if y := balance(t, ns, c); y.sent != 1 || len(s.got("late")) != 1 {
		t.Errorf("%d arrived: %+v", len(s.got("late")), y)
	}
	object := cp.Kubectl(t, "get", "gitrepository", "webapp", "--namespace", ns, "--output=jsonpath={.metadata.annotations}")
	if !strings.Contains(object, notification.RequestedAtAnnotation) {
		t.Errorf("not annotated: %s", object)
	}
}

// TestTerminatedUnderLoad is SIGTERM while events keep coming: what was accepted is sent.
func TestTerminatedUnderLoad(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, func(http.ResponseWriter, *http.Request) { time.Sleep(10 * time.Millisecond) })
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}"))
	p := launch(t, cp, nil, "--provider-queue-size=100000", "--queue-size=100000")
	load := newStorm(t, func(n int) (int, error) { return p.post(eventJSON(ns, fmt.Sprintf("under load %d", n))) })
	load.wait(t, 500)
	p.terminate()
	load.end()

	logged := tallyOfLog(p.logged(), ns)
	if logged.matches == 0 || logged.open() != 0 {
		t.Errorf("%d of %d notifications are lost: %+v", logged.open(), logged.matches, logged)
	}
	// The answer to one that was accepted may have got lost.
	if accepted := int(load.accepted.Load()); logged.matches < accepted {
		t.Errorf("the log tells of %d accepted events, %d were answered", logged.matches, accepted)
	}
	if got := s.distinct(""); got != logged.matches || logged.sent != got {
		t.Errorf("of %d accepted, %d arrived; %+v", logged.matches, got, logged)
	}
}

// TestKilled is SIGKILL with events accepted for an endpoint that has gone down. What was queued or under way is lost,
// and no more than that.
func TestKilled(t *testing.T) {
	t.Parallel()
	const events = 100
	cp := shared(t)
	ns := namespace(t, cp)
	var down atomic.Bool
	s := newSink(t, func(w http.ResponseWriter, _ *http.Request) {
		if down.Load() {
			w.WriteHeader(http.StatusServiceUnavailable)
		}
	})
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}"))
	p := launch(t, cp, nil)
	post := func(n int, message string) {
		t.Helper()
		for i := range n {
			if status, err := p.post(eventJSON(ns, fmt.Sprintf("%s %d", message, i))); status != http.StatusAccepted {
				t.Fatalf("status %d, %v", status, err)
			}
		}
	}
	post(events, "before")
	eventually(t, "the first to be sent", func() error {
		if y := p.tally(); y.sent < events {
			return fmt.Errorf("%+v", y)
		}
		return nil
	})
	down.Store(true)
	post(events, "while it is down")
	counted := p.tally()
	p.kill()
	if counted.sent != events || counted.open() != events {
		t.Errorf("killed with %+v; want %d sent, and as many queued or under way", counted, events)
	}
	failed := len(s.got("while it is down"))
	down.Store(false)

	p = launch(t, cp, nil)
	post(1, "after it")
	s.wait(t, 1, "after it")
	p.terminate()
	if arrived := s.distinct("before"); arrived != counted.sent {
		t.Errorf("%d have arrived of %d that were counted as sent", arrived, counted.sent)
	}
	t.Logf("of %d that were queued or under way, %d were sent by the next process", events, len(s.got("while it is down"))-failed)
}

// TestLogIsLost has nobody take the log: the disk is full, or its reader has ended.
func TestLogIsLost(t *testing.T) {
	t.Parallel()
	cp := shared(t)
	for name, open := range map[string]func(*testing.T) *os.File{
		"disk full": func(t *testing.T) *os.File {
			full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
			if err != nil {
				t.Skip(err)
			}
			return full
		},
		"reader ended": func(t *testing.T) *os.File {
			reader, writer, err := os.Pipe()
			if err != nil {
				t.Fatal(err)
			}
			reader.Close()
			return writer
		},
	} {
		t.Run(name, func(t *testing.T) {
			const events = 100
			ns := namespace(t, cp)
			s := newSink(t, nil)
			cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}")+
				alertAndProvider(ns, "refused", "{type: generic, address: '"+s.URL+"/refused', timeout: 1s}"))
			s.answer = func(w http.ResponseWriter, r *http.Request) {
				if r.URL.Path == "/refused" {
					w.WriteHeader(http.StatusNotFound)
				}
			}
			log := open(t)
			defer log.Close()
			p := launch(t, cp, log)
			for i := range events {
				if status, err := p.post(eventJSON(ns, fmt.Sprintf("without a log %d", i))); status != http.StatusAccepted {
					t.Fatalf("status %d, %v", status, err)
				}
			}
			eventually(t, "every notification to end", func() error {
				if y := p.tally(); y.sent != events || y.failed != events || y.open() != 0 {
					return fmt.Errorf("%+v", y)
				}
				return nil
			})
			p.terminate()
		})
	}
}

// TestLeaderIsKilled has two replicas serve while the one that writes status is killed: the other one takes over.
func TestLeaderIsKilled(t *testing.T) {
	t.Parallel()
	// Where no other test's controller reconciles Receivers.
	cp := apitest.Start(t)
	install(t, cp)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "alert", "{type: generic, address: '"+s.URL+"'}"))
	election := []string{"--enable-leader-election", "--leader-election-lease-duration=5s", "--leader-election-renew-deadline=4s", "--leader-election-retry-period=1s"}
	leader, follower := launch(t, cp, nil, election...), launch(t, cp, nil, election...)
	eventually(t, "a leader", func() error {
		switch {
		case leads(leader):
			return nil
		case leads(follower):
			leader, follower = follower, leader
			return nil
		}
		return fmt.Errorf("neither leads")
	})
	loads := map[*program]*storm{}
	for name, p := range map[string]*program{"leader": leader, "follower": follower} {
		loads[p] = newStorm(t, func(n int) (int, error) { return p.post(eventJSON(ns, fmt.Sprintf("of the %s %d", name, n))) })
		loads[p].wait(t, 20)
	}
	reconciled(t, cp, ns, "before")

	loads[leader].end()
	open := leader.tally().open()
	leader.kill()
	begin := time.Now()
	reconciled(t, cp, ns, "after")
	t.Logf("a Receiver got its status %s after the leader was killed, with a Lease of 5s", time.Since(begin))
	loads[follower].wait(t, 20)
	loads[follower].end()

	if refused := loads[follower].refused.Load(); refused > 0 {
		t.Errorf("the other replica refused %d events", refused)
	}
	var counted tally
	eventually(t, "every notification to end", func() error {
		if counted = follower.tally(); counted.open() != 0 {
			return fmt.Errorf("%+v", counted)
		}
		return nil
	})
	checkBalance(t, counted, tallyOfLog(follower.logged(), ns))
	if counted.sent != counted.matches || len(s.got("of the follower")) < counted.sent {
		t.Errorf("%+v, of which %d arrived", counted, len(s.got("of the follower")))
	}
	// What it had accepted has arrived, but for what was open then.
	if lost := int(loads[leader].accepted.Load()) - s.distinct("of the leader"); lost > open {
		t.Errorf("%d notifications were lost with the leader, of which only %d were queued or under way", lost, open)
	}
}

// leads says whether a replica holds the Lease.
func leads(p *program) bool {
	return strings.Contains(p.get(p.metrics, "/metrics"), `leader_election_master_status{name="notification-controller-leader-election"} 1`)
}

// reconciled waits until a new Receiver has its status.
func reconciled(t *testing.T, cp *apitest.ControlPlane, namespace, name string) {
	t.Helper()
	cp.Apply(t, githubReceiver(namespace, name)+secretManifest(namespace, name, map[string]string{"token": planted}))
	receiver(t, cp, namespace, name, "True")
}
