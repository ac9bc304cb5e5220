package dispatch

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// nobody records nothing, unlike outcomes, which would be most of what is allocated.
func nobody() Recorder { return Recorders{} }

func BenchmarkRender(b *testing.B) {
	r := &Router{Record: nobody()}
	e, alert, p := testEvent(), testAlert(), testProvider()
	e.Metadata = map[string]string{"kustomize.toolkit.fluxcd.io/revision": "main@sha1:a1b2c3"}
	alert.Spec.EventMetadata = map[string]string{"cluster": "prod"}
	b.ReportAllocs()
	for b.Loop() {
		if _, ok := r.Render(b.Context(), e, alert, p, anyOrder); !ok {
			b.Fatal("nothing to send")
		}
	}
}

// stuckQueue has workers that wait until the benchmark ends.
func stuckQueue(b *testing.B, o QueueOptions) *Queue {
	send := senderFunc(func(ctx context.Context, _ *provider.Notification) error {
		<-ctx.Done()
		return ctx.Err()
	})
	q := NewQueue(o, func(provider.Object) (*Target, error) { return &Target{Sender: send, Timeout: time.Hour}, nil }, nobody())
	b.Cleanup(func() {
		ended, end := context.WithCancel(context.Background())
		end()
		q.Drain(ended)
	})
	return q
}

// BenchmarkDeliver takes one notification after the other from Enqueue to its outcome.
func BenchmarkDeliver(b *testing.B) {
	sent := make(chan struct{})
	send := senderFunc(func(context.Context, *provider.Notification) error {
		sent <- struct{}{}
		return nil
	})
	target := &Target{Sender: send, Timeout: time.Hour}
	q := NewQueue(DefaultQueueOptions(), func(provider.Object) (*Target, error) { return target, nil }, nobody())
	n := newNotification("a", 1)
	b.ReportAllocs()
	for b.Loop() {
		q.Enqueue(n, anyOrder)
		<-sent
	}
}

// BenchmarkEnqueueFull has to make room for each notification.
func BenchmarkEnqueueFull(b *testing.B) {
	for _, providers := range []int{1, 100, 5000} {
		b.Run(fmt.Sprintf("providers=%d", providers), func(b *testing.B) {
			o := DefaultQueueOptions()
			o.Workers = 1
			q := stuckQueue(b, o)
			notifications := make([]*provider.Notification, providers)
			for i := range notifications {
				notifications[i] = newNotification(fmt.Sprint(i), i)
			}
			for i := range o.Total + providers {
				q.Enqueue(notifications[i%providers], anyOrder)
			}
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				i++
				q.Enqueue(notifications[i%providers], anyOrder)
			}
		})
	}
}

// BenchmarkEnqueueHeld adds to a full lane in which all wait for others with their ordering key.
func BenchmarkEnqueueHeld(b *testing.B) {
	row := provider.Type{Name: "test", OrderingKey: func(*provider.Notification) string { return "key" }}
	q := stuckQueue(b, DefaultQueueOptions())
	n := newNotification("a", 1)
	for range q.options.PerProvider + 1 {
		q.Enqueue(n, row)
	}
	b.ReportAllocs()
	for b.Loop() {
		q.Enqueue(n, row)
	}
}
