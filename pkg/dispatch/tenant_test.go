package dispatch

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// notificationOf has a message of the given length.
func notificationOf(namespace, to string, i, length int) *provider.Notification {
	n := newNotification(namespace+"/"+to, i)
	n.Provider.Namespace = namespace
	n.Event.Message = string(make([]byte, length))
	return n
}

// TestQueueTakesRoomFromTheTenantThatHasMost has one of many short lanes, and one of a single long one.
func TestQueueTakesRoomFromTheTenantThatHasMost(t *testing.T) {
	for name, options := range map[string]QueueOptions{
		"number": {PerProvider: 100, Total: 100, TotalBytes: 1 << 30, Workers: 1, MaxAge: time.Hour},
		"memory": {PerProvider: 100, Total: 1000, TotalBytes: 1 << 20, Workers: 1, MaxAge: time.Hour},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				q, recorded := testQueue(options, func(ctx context.Context, _ *provider.Notification) error {
					<-ctx.Done()
					return ctx.Err()
				})
				for i := range 300 {
					q.Enqueue(notificationOf("many", fmt.Sprint(i%50), i, 10<<10), anyOrder)
				}
				for i := range 20 {
					q.Enqueue(notificationOf("one", "provider", i, 10<<10), anyOrder)
				}
				synctest.Wait()
				dropped := map[string]int{}
				for _, o := range recorded.all {
					dropped[o.Provider.Namespace]++
				}
				if dropped["one"] != 0 || dropped["many"] < 100 {
					t.Errorf("dropped %v, want only those of the tenant with most", dropped)
				}
				ctx, cancel := context.WithTimeout(t.Context(), time.Second)
				defer cancel()
				q.Drain(ctx)
				if len(q.tenants) != 0 || len(q.lanes) != 0 {
					t.Errorf("%d tenants and %d lanes are left", len(q.tenants), len(q.lanes))
				}
			})
		})
	}
}

// service is one of many Providers that hang until they are released.
type service struct {
	release chan struct{}

	mu            sync.Mutex
	running, most map[string]int
	order         []string
}

func (s *service) send(_ context.Context, n *provider.Notification) error {
	namespace := n.Provider.Namespace
	s.mu.Lock()
	s.order = append(s.order, n.Provider.Name)
	s.running[namespace] += len(n.Event.Message)
	s.most[namespace] = max(s.most[namespace], s.running[namespace])
	s.mu.Unlock()
	<-s.release
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running[namespace] -= len(n.Event.Message)
	return nil
}

// TestQueueBoundsWhatRuns has a tenant with many Providers that hang.
func TestQueueBoundsWhatRuns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const length = 300 << 10
		options := QueueOptions{PerProvider: 100, Total: 1000, TotalBytes: 64 << 20, Workers: 10, MaxAge: time.Hour}
		s := &service{release: make(chan struct{}), running: map[string]int{}, most: map[string]int{}}
		q, recorded := testQueue(options, s.send)
		for i := range 100 {
			q.Enqueue(notificationOf("many", fmt.Sprint(i%20), i, length), anyOrder)
		}
		q.Enqueue(notificationOf("one", "provider", 0, length), anyOrder)
		synctest.Wait()
		if got := s.running["many"]; got > options.TotalBytes/runningShare || got < options.TotalBytes/runningShare/2 {
			t.Errorf("%d bytes are under way for one tenant", got)
		}
		if s.running["one"] != length {
			t.Error("another tenant has to wait")
		}
		close(s.release)
		if lost := q.Drain(t.Context()); lost != 0 || recorded.count(Sent, "") != 101 {
			t.Errorf("lost %d, sent %d", lost, recorded.count(Sent, ""))
		}
		if got := s.most["many"]; got > options.TotalBytes/runningShare {
			t.Errorf("%d bytes were under way for one tenant", got)
		}
	})
}

// TestQueueSendsWhatIsLargerThanTheRoom checks that it waits for its turn, and no longer.
func TestQueueSendsWhatIsLargerThanTheRoom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		options := QueueOptions{PerProvider: 100, Total: 1000, TotalBytes: 16 << 20, Workers: 1, MaxAge: time.Hour}
		s := &service{release: make(chan struct{}), running: map[string]int{}, most: map[string]int{}}
		q, _ := testQueue(options, s.send)
		for i, to := range []string{"small", "large", "later", "small", "large"} {
			length := 10 << 10
			if to == "large" {
				length = 5 << 20
			}
			q.Enqueue(notificationOf("a", to, i, length), anyOrder)
			synctest.Wait()
		}
		if len(s.order) != 1 {
			t.Fatalf("%q are under way, want the first only", s.order)
		}
		for i := 1; i < 5; i++ {
			s.release <- struct{}{}
			synctest.Wait()
		}
		// The fourth and the third may start in any order.
		if len(s.order) != 5 || s.order[1] != "a/large" || s.order[4] != "a/large" {
			t.Errorf("sent in the order %q", s.order)
		}
		s.release <- struct{}{}
		q.Drain(t.Context())
	})
}

// TestQueueEndsAttempts has a Provider whose timeout is longer than a notification is of use.
func TestQueueEndsAttempts(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		recorded := &outcomes{}
		q := NewQueue(DefaultQueueOptions(), func(provider.Object) (*Target, error) {
			return &Target{Timeout: 1000 * time.Hour, Sender: senderFunc(func(ctx context.Context, _ *provider.Notification) error {
				<-ctx.Done()
				return ctx.Err()
			})}, nil
		}, recorded)
		q.Enqueue(newNotification("a", 0), anyOrder)
		time.Sleep(DefaultQueueOptions().MaxAge + time.Minute)
		if recorded.count(Failed, ReasonExpired) != 1 {
			t.Errorf("outcomes %+v", recorded.all)
		}
		q.Drain(t.Context())
	})
}
