package providertest

import (
	"maps"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

func (s suite) testMessages(t *testing.T) {
	for _, test := range []struct {
		name   string
		change func(*event.Event)
		// taken says that the notification has to be taken; a type may refuse others, but for good.
		taken bool
	}{
		{"reference", func(*event.Event) {}, true},
		{"39,000 bytes", func(e *event.Event) { e.Message = strings.Repeat("a", 39_000) }, true},
		{"3 MiB", func(e *event.Event) { e.Message = strings.Repeat("line\n", 3<<20/5) }, true},
		{"many bytes to a character", func(e *event.Event) { e.Message = strings.Repeat("🚨é", 10_000) }, true},
		{"not UTF-8", func(e *event.Event) { e.Message = "a\xffb\xe2\x82" }, true},
		{"long message and values", func(e *event.Event) {
			long := LongNotification().Event
			e.Message = long.Message
			maps.Copy(e.Metadata, long.Metadata)
		}, true},
		{"markup and emoji", func(e *event.Event) {
			marked := MarkupNotification().Event
			e.Message = marked.Message
			delete(marked.Metadata, event.KeyChangeRequest)
			maps.Copy(e.Metadata, marked.Metadata)
		}, true},
		{"legacy revision", func(e *event.Event) { e.Metadata["revision"] = "main/731f7eaddfb6af01cb2173e18f0f75b0ba780ef1" }, true},
		{"empty reason", func(e *event.Event) { e.Reason = "" }, true},
		{"severity trace", func(e *event.Event) { e.Severity = "trace" }, false},
		{"empty message", func(e *event.Event) { e.Message = "" }, false},
		{"nil metadata", func(e *event.Event) { e.Metadata = nil }, false},
		{"nothing at all", func(e *event.Event) { *e = event.Event{} }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			sender, _ := s.sender(t, s.address(t), httpx.Options{})
			n := s.notification()
			test.change(&n.Event)
			err := sendNotification(t, sender, n)
			if err != nil && (test.taken || provider.Classify(err).Kind != provider.Permanent) {
				t.Errorf("Send: %v", err)
			}
		})
	}
}

func (s suite) testUnchanged(t *testing.T) {
	sender, _ := s.sender(t, s.address(t), httpx.Options{})
	n := s.notification()
	before := *n
	before.Event.Metadata = maps.Clone(n.Event.Metadata)
	if err := sendNotification(t, sender, n); err != nil {
		t.Fatalf("Send: %v", err)
	}
	if !reflect.DeepEqual(*n, before) {
		t.Errorf("the sender changed the notification\ngot:  %+v\nwant: %+v", *n, before)
	}
}

func (s suite) testConcurrent(t *testing.T) {
	const senders, each = 8, 5
	sender, _ := s.sender(t, s.address(t), httpx.Options{})
	// One notification for all of them, so that the race detector sees a sender that writes to it.
	n := s.notification()
	var wg sync.WaitGroup
	for range senders {
		wg.Go(func() {
			for range each {
				if err := sendNotification(t, sender, n); err != nil {
					t.Errorf("Send: %v", err)
				}
			}
		})
	}
	wg.Wait()
}
