package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// outcomes remembers everything that is recorded.
type outcomes struct {
	Recorders

	mu       sync.Mutex
	events   []EventVerdict
	attempts []Attempt
	all      []Outcome
	problems []string
}

func (o *outcomes) Event(v EventVerdict) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.events = append(o.events, v)
}

func (o *outcomes) Attempt(a Attempt) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.attempts = append(o.attempts, a)
}

func (o *outcomes) Outcome(outcome Outcome) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.all = append(o.all, outcome)
}

func (o *outcomes) Problem(_ *v1beta3.Alert, reason string, err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.problems = append(o.problems, reason+": "+err.Error())
}

// count is how many outcomes have the result and reason.
func (o *outcomes) count(result Result, reason provider.Reason) int {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := 0
	for _, outcome := range o.all {
		if outcome.Result == result && outcome.Reason == reason {
			n++
		}
	}
	return n
}

// senderFunc is a function that is a sender.
type senderFunc func(ctx context.Context, n *provider.Notification) error

func (f senderFunc) Send(ctx context.Context, n *provider.Notification) error { return f(ctx, n) }

// testQueue has one sender for all Providers.
func testQueue(o QueueOptions, send senderFunc) (*Queue, *outcomes) {
	recorded := &outcomes{}
	q := NewQueue(o, func(provider.Object) (*Target, error) {
		return &Target{Sender: send, Timeout: DefaultTimeout}, nil
	}, recorded)
	return q, recorded
}

func newNotification(to string, i int) *provider.Notification {
	return &provider.Notification{
		Event:    event.Event{ID: fmt.Sprint(i), Message: fmt.Sprint(i)},
		Provider: provider.Object{Namespace: "default", Name: to, UID: to},
		Alert:    provider.Object{Namespace: "default", Name: "alert", UID: "alert"},
	}
}

// anyOrder is a type whose notifications do not have to be in order.
var anyOrder = provider.Type{Name: "test"}

func TestQueueSendsInOrderOfAcceptance(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var sent []string
		options := DefaultQueueOptions()
		options.Workers = 1
		q, recorded := testQueue(options, func(_ context.Context, n *provider.Notification) error {
			time.Sleep(time.Millisecond)
			sent = append(sent, n.Event.ID)
			return nil
		})
		for i := range 20 {
			q.Enqueue(newNotification("a", i), anyOrder)
		}
		if lost := q.Drain(t.Context()); lost != 0 {
			t.Fatalf("Drain lost %d", lost)
		}
		for i, id := range sent {
			if id != fmt.Sprint(i) {
				t.Fatalf("sent %v", sent)
			}
		}
		if got := recorded.count(Sent, ""); got != 20 {
			t.Errorf("recorded %d as sent, want 20", got)
		}
		if waiting, lanes := q.Len(); waiting != 0 || lanes != 0 {
			t.Errorf("%d waiting in %d lanes after the queue has been drained", waiting, lanes)
		}
	})
}

func TestQueueRetries(t *testing.T) {
	tests := []struct {
		name         string
		errs         []error // of the first attempts; nil from then on
		wantAttempts int
		wantResult   Result
		wantReason   provider.Reason
		minimum      time.Duration
		maximum      time.Duration
	}{
		{"at once", nil, 1, Sent, "", 0, 0},
		{"once more", []error{provider.Transientf(provider.ReasonServerError, "503")}, 2, Sent, "", 2 * time.Second, 2400 * time.Millisecond},
		{"unclassified errors are transient", []error{errors.New("what")}, 2, Sent, "", 2 * time.Second, 2400 * time.Millisecond},
		{"four times at most", slices.Repeat([]error{provider.Transientf(provider.ReasonConnection, "refused")}, 9), 5, Failed, provider.ReasonConnection, 30 * time.Second, 36 * time.Second},
		{
			"a pause is an attempt, too", append([]error{provider.Throttledf(time.Minute, "429")}, slices.Repeat([]error{provider.Transientf(provider.ReasonConnection, "refused")}, 9)...),
			6, Failed, provider.ReasonConnection, 90 * time.Second, 96 * time.Second,
		},
		{"permanent", []error{provider.Permanentf(provider.ReasonAuth, "401")}, 1, Failed, provider.ReasonAuth, 0, 0},
		{"throttled uses up no retry", slices.Repeat([]error{provider.Throttledf(time.Minute, "429")}, 8), 9, Sent, "", 8 * time.Minute, 8 * time.Minute},
		{"a pause has a limit", []error{provider.Throttledf(24*time.Hour, "429")}, 2, Sent, "", 15 * time.Minute, 15 * time.Minute},
		{"nothing waits longer than an hour", slices.Repeat([]error{provider.Throttledf(15*time.Minute, "429")}, 9), 4, Failed, ReasonExpired, time.Hour, time.Hour},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				start := time.Now()
				attempts := 0
				q, recorded := testQueue(DefaultQueueOptions(), func(context.Context, *provider.Notification) error {
					attempts++
					if attempts <= len(tt.errs) {
						return tt.errs[attempts-1]
					}
					return nil
				})
				q.Enqueue(newNotification("a", 1), anyOrder)
				q.Drain(context.Background())
				if attempts != tt.wantAttempts {
					t.Errorf("%d attempts, want %d", attempts, tt.wantAttempts)
				}
				if len(recorded.all) != 1 || recorded.all[0].Result != tt.wantResult || recorded.all[0].Reason != tt.wantReason {
					t.Fatalf("outcomes %+v, want one %s (%s)", recorded.all, tt.wantResult, tt.wantReason)
				}
				wantErr := fmt.Sprintf("given up after %d attempts: refused", tt.wantAttempts)
				if err := recorded.all[0].Err; tt.wantReason == provider.ReasonConnection && err.Error() != wantErr {
					t.Errorf("the outcome says %q, want %q", err, wantErr)
				}
				if recorded.all[0].Attempts != tt.wantAttempts {
					t.Errorf("the outcome says %d attempts, want %d", recorded.all[0].Attempts, tt.wantAttempts)
				}
				if took := time.Since(start); took < tt.minimum || took > tt.maximum {
					t.Errorf("took %s, want %s to %s", took, tt.minimum, tt.maximum)
				}
			})
		})
	}
}

func TestQueueHungProviderDelaysNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		done := make(chan time.Duration, 1)
		options := DefaultQueueOptions()
		options.PerProvider = 50
		q, recorded := testQueue(options, func(ctx context.Context, n *provider.Notification) error {
			if n.Provider.Name == "hung" {
				<-ctx.Done()
				return ctx.Err()
			}
			done <- time.Since(start)
			return nil
		})
		for i := range 10_000 {
			q.Enqueue(newNotification("hung", i), anyOrder)
		}
		q.Enqueue(newNotification("well", 0), anyOrder)
		if took := <-done; took != 0 {
			t.Errorf("the other Provider had to wait for %s", took)
		}
		if waiting, _ := q.Len(); waiting > options.PerProvider {
			t.Errorf("%d wait for the hung Provider, want at most %d", waiting, options.PerProvider)
		}
		// Ten are under way; of the others the latest wait.
		if got, want := recorded.count(Dropped, ReasonQueueFull), 10_000-options.PerProvider-options.Workers; got != want {
			t.Errorf("%d dropped, want %d", got, want)
		}
		synctest.Wait() // The outcome of the other Provider's is recorded after it was sent.
		var last string
		for _, outcome := range recorded.all {
			if outcome.Result == Dropped {
				last = outcome.EventID
			}
		}
		if want := fmt.Sprint(10_000 - options.PerProvider - 1); last != want {
			t.Errorf("dropped event %s last, want %s, the oldest that waited", last, want)
		}
		q.DropProvider("hung")
		q.Drain(t.Context())
	})
}

func TestQueueBoundsTotal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		options := QueueOptions{PerProvider: 100, Total: 30, TotalBytes: 1 << 20, Workers: 1, MaxAge: time.Hour}
		q, recorded := testQueue(options, func(context.Context, *provider.Notification) error {
			<-block
			return nil
		})
		for i := range 25 {
			q.Enqueue(newNotification("long", i), anyOrder)
		}
		for i := range 10 {
			q.Enqueue(newNotification("short", i), anyOrder)
		}
		// One of each is under way, so that 33 would wait.
		if waiting, _ := q.Len(); waiting != options.Total {
			t.Errorf("%d wait, want %d", waiting, options.Total)
		}
		if len(recorded.all) != 3 {
			t.Fatalf("%d outcomes, want 3 drops", len(recorded.all))
		}
		for _, o := range recorded.all {
			if o.Provider.Name != "long" || o.Reason != ReasonQueueFull {
				t.Errorf("dropped %+v, want one of the longest lane", o)
			}
		}
		close(block)
		q.Drain(t.Context())
	})
}

func TestQueueOldestAge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := DefaultQueueOptions()
		options.Workers = 1
		q, _ := testQueue(options, func(context.Context, *provider.Notification) error {
			time.Sleep(time.Minute)
			return nil
		})
		check := func(want time.Duration) {
			t.Helper()
			if got := q.OldestAge(time.Now()); got != want {
				t.Errorf("the oldest has waited %s, want %s", got, want)
			}
		}
		check(0)
		q.Enqueue(newNotification("a", 0), anyOrder)
		check(0) // It does not wait: it is being sent.
		q.Enqueue(newNotification("a", 1), anyOrder)
		time.Sleep(10 * time.Second)
		q.Enqueue(newNotification("b", 2), anyOrder)
		q.Enqueue(newNotification("b", 3), anyOrder)
		time.Sleep(20 * time.Second)
		check(30 * time.Second)
		time.Sleep(31 * time.Second) // The first is done, the second on its way.
		check(51 * time.Second)
		q.Drain(t.Context())
		check(0)
	})
}

func TestQueueBoundsMemory(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		block := make(chan struct{})
		options := QueueOptions{PerProvider: 1000, Total: 1000, TotalBytes: 1 << 20, Workers: 1, MaxAge: time.Hour}
		q, recorded := testQueue(options, func(context.Context, *provider.Notification) error {
			<-block
			return nil
		})
		for i := range 100 {
			n := newNotification("a", i)
			n.Event.Message = string(make([]byte, 100<<10))
			q.Enqueue(n, anyOrder)
		}
		if waiting, _ := q.Len(); waiting != 9 {
			t.Errorf("%d messages of 100 KiB, which take 104 KiB and more, wait, want 9", waiting)
		}
		if got := recorded.count(Dropped, ReasonQueueFull); got != 90 {
			t.Errorf("%d dropped, want 90", got)
		}
		close(block)
		q.Drain(t.Context())
	})
}

func TestQueueKeepsOrderOfAKey(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		running := map[string]bool{}
		finished := map[string][]string{}
		failOnce := map[string]bool{"3": true, "4": true}
		keyed := provider.Type{Name: "test", OrderingKey: func(n *provider.Notification) string { return n.Event.Reason }}
		q, _ := testQueue(DefaultQueueOptions(), func(_ context.Context, n *provider.Notification) error {
			mu.Lock()
			if running[n.Event.Reason] {
				t.Errorf("two deliveries for %s at a time", n.Event.Reason)
			}
			running[n.Event.Reason] = true
			fail := failOnce[n.Event.ID]
			delete(failOnce, n.Event.ID)
			mu.Unlock()

			time.Sleep(100 * time.Millisecond)

			mu.Lock()
			defer mu.Unlock()
			running[n.Event.Reason] = false
			if fail {
				return provider.Transientf(provider.ReasonServerError, "again")
			}
			finished[n.Event.Reason] = append(finished[n.Event.Reason], n.Event.ID)
			return nil
		})
		for i := range 12 {
			n := newNotification("a", i)
			n.Event.Reason = []string{"even", "odd"}[i%2]
			q.Enqueue(n, keyed)
		}
		q.Drain(t.Context())
		if got := finished["even"]; !slices.Equal(got, []string{"0", "2", "4", "6", "8", "10"}) {
			t.Errorf("even: %v", got)
		}
		if got := finished["odd"]; !slices.Equal(got, []string{"1", "3", "5", "7", "9", "11"}) {
			t.Errorf("odd: %v", got)
		}
	})
}

func TestQueueDrain(t *testing.T) {
	const slow = 3 * time.Second
	tests := []struct {
		name     string
		limit    time.Duration
		wantSent int
		wantLost int
	}{
		{"40 at 3 s each fit into 25 s", 25 * time.Second, 40, 0},
		{"what does not fit is recorded", 7 * time.Second, 20, 20},
		{"nothing fits", 0, 0, 40},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, recorded := testQueue(DefaultQueueOptions(), func(ctx context.Context, _ *provider.Notification) error {
					select {
					case <-time.After(slow):
						return nil
					case <-ctx.Done():
						return ctx.Err()
					}
				})
				for i := range 40 {
					q.Enqueue(newNotification("slow", i), anyOrder)
				}
				ctx, cancel := context.WithTimeout(t.Context(), tt.limit)
				defer cancel()
				if lost := q.Drain(ctx); lost != tt.wantLost {
					t.Errorf("Drain says that %d were lost, want %d", lost, tt.wantLost)
				}
				if got := recorded.count(Sent, ""); got != tt.wantSent {
					t.Errorf("%d sent, want %d", got, tt.wantSent)
				}
				if got := recorded.count(Failed, ReasonShutdown); got != tt.wantLost {
					t.Errorf("%d recorded as lost, want %d", got, tt.wantLost)
				}
				q.Enqueue(newNotification("slow", 41), anyOrder)
				if got := recorded.count(Failed, ReasonShutdown); got != tt.wantLost+1 {
					t.Error("what came too late was not recorded")
				}
			})
		})
	}
}

// TestQueueDrainEndsWithoutItsSenders has senders that do not heed their context outlive the queue.
func TestQueueDrainEndsWithoutItsSenders(t *testing.T) {
	for name, result := range map[string]error{
		"sent late": nil, "failed late": provider.Transientf(provider.ReasonTimeout, "late"), "refused late": provider.Permanentf(provider.ReasonAuth, "late"),
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				block := make(chan struct{})
				options := DefaultQueueOptions()
				options.Workers = 2
				q, recorded := testQueue(options, func(context.Context, *provider.Notification) error {
					<-block
					return result
				})
				for i := range 5 {
					q.Enqueue(newNotification("deaf", i), anyOrder)
				}
				ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
				defer cancel()
				start := time.Now()
				lost := q.Drain(ctx)
				if took, want := time.Since(start), 10*time.Second+drainGrace; took != want || lost != 5 {
					t.Errorf("Drain lost %d within %s, want 5 within %s", lost, took, want)
				}
				check := func() {
					t.Helper()
					if got := recorded.count(Failed, ReasonShutdown); got != 5 || len(recorded.all) != 5 {
						t.Errorf("%d of %d outcomes are %s, want 5 of 5", got, len(recorded.all), ReasonShutdown)
					}
				}
				check()
				close(block)
				synctest.Wait()
				check()
				if recorded.all[4].Attempts != 1 {
					t.Errorf("%d attempts of what was under way, want 1", recorded.all[4].Attempts)
				}
			})
		})
	}
}

func TestQueueDropsWhatWaitsForADeletedProvider(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := DefaultQueueOptions()
		options.Workers = 1
		q, recorded := testQueue(options, func(ctx context.Context, _ *provider.Notification) error {
			<-ctx.Done()
			return provider.Permanentf(provider.ReasonTimeout, "hung")
		})
		for i := range 10 {
			q.Enqueue(newNotification("gone", i), anyOrder)
		}
		q.DropProvider("gone")
		if waiting, _ := q.Len(); waiting != 0 {
			t.Errorf("%d still wait", waiting)
		}
		if got := recorded.count(Dropped, ReasonProviderDeleted); got != 9 {
			t.Errorf("%d dropped, want the 9 that waited", got)
		}
		q.Drain(t.Context())
	})
}

func TestQueueSurvivesAPanic(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q, recorded := testQueue(DefaultQueueOptions(), func(context.Context, *provider.Notification) error { panic("boom") })
		q.Enqueue(newNotification("a", 1), anyOrder)
		q.Drain(t.Context())
		if got := recorded.count(Failed, provider.ReasonUnclassified); got != 1 {
			t.Errorf("outcomes %+v, want one failure", recorded.all)
		}
	})
}
