package controller

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
)

// slowSink is an API server that takes its time, and remembers what was last written about each object and reason.
type slowSink struct {
	mu     sync.Mutex
	writes map[string]int
	last   map[string]*corev1.Event
}

func (s *slowSink) write(e *corev1.Event) (*corev1.Event, error) {
	time.Sleep(50 * time.Millisecond)
	s.mu.Lock()
	defer s.mu.Unlock()
	key := e.InvolvedObject.Name + " " + e.Reason
	s.writes[key]++
	s.last[key] = e
	return e, nil
}

func (s *slowSink) Create(e *corev1.Event) (*corev1.Event, error)          { return s.write(e) }
func (s *slowSink) Update(e *corev1.Event) (*corev1.Event, error)          { return s.write(e) }
func (s *slowSink) Patch(e *corev1.Event, _ []byte) (*corev1.Event, error) { return s.write(e) }

func TestEventStorm(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &slowSink{writes: map[string]int{}, last: map[string]*corev1.Event{}}
		broadcaster := NewBroadcaster()
		broadcaster.StartRecordingToSink(sink)
		defer broadcaster.Shutdown()
		events := LimitEvents(broadcaster.NewRecorder(runtime.NewScheme(), corev1.EventSource{Component: "test"}))
		alert := func(name string) *corev1.ObjectReference {
			return &corev1.ObjectReference{Kind: "Alert", Namespace: "apps", Name: name, UID: types.UID(name)}
		}
		check := func(key string, writes int) {
			t.Helper()
			sink.mu.Lock()
			defer sink.mu.Unlock()
			if got := sink.writes[key]; got != writes {
				t.Errorf("%s: written %d times, want %d", key, got, writes)
			}
		}

		const failures = 5000 // More than what the broadcaster keeps.
		for i := range failures {
			events.Event(alert("noisy"), "Warning", "Failed", fmt.Sprintf("failure %d", i))
		}
		events.Event(alert("quiet"), "Warning", "Failed", "the first failure")
		events.Event(alert("noisy"), "Warning", "InvalidConfig", "another reason")
		time.Sleep(10 * time.Second)
		check("noisy Failed", eventBurst)
		check("quiet Failed", 1)
		check("noisy InvalidConfig", 1)

		// It goes on for five minutes: there is news each minute, in one and the same Event.
		for i := range 5 * 60 {
			events.Event(alert("noisy"), "Warning", "Failed", fmt.Sprintf("later failure %d", i))
			time.Sleep(time.Second)
		}
		time.Sleep(10 * time.Second)
		check("noisy Failed", eventBurst+5)
		if last := sink.last["noisy Failed"]; !strings.Contains(last.Message, "later failure") || last.Count < 2 {
			t.Errorf("the last Event is %q, counted %d times", last.Message, last.Count)
		}
	})
}

// TestEventsOfANamespace has one namespace with more objects that fail than are remembered.
func TestEventsOfANamespace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sink := &slowSink{writes: map[string]int{}, last: map[string]*corev1.Event{}}
		broadcaster := NewBroadcaster()
		broadcaster.StartRecordingToSink(sink)
		defer broadcaster.Shutdown()
		events := LimitEvents(broadcaster.NewRecorder(runtime.NewScheme(), corev1.EventSource{Component: "test"}))
		failed := func(namespace, name string) {
			events.Event(&corev1.ObjectReference{Kind: "Alert", Namespace: namespace, Name: name}, "Warning", "Failed", "failure")
		}
		check := func(when, prefix string, want int) {
			t.Helper()
			time.Sleep(time.Minute)
			sink.mu.Lock()
			defer sink.mu.Unlock()
			got := 0
			for key, writes := range sink.writes {
				if strings.HasPrefix(key, prefix) {
					got += writes
				}
			}
			if got != want {
				t.Errorf("%s: %q was written %d times, want %d", when, prefix, got, want)
			}
		}

		for range eventBurst + 1 {
			failed("other", "noisy")
		}
		for range 3 {
			for i := range maxEventKeys + 100 {
				failed("flood", fmt.Sprint("flood-", i))
			}
		}
		failed("other", "noisy")
		failed("other", "quiet")
		events.Event(&corev1.ObjectReference{Kind: "Receiver", Namespace: "flood", Name: "works"}, "Normal", "Succeeded", "ready")
		check("at once", "flood-", namespaceBurst)
		check("at once", "noisy", eventBurst)
		check("at once", "quiet", 1)
		check("at once", "works", 1)

		// It has been 4 minutes: there is room for as many again, and then for two a second.
		for i := range 1000 {
			failed("flood", fmt.Sprint("flood-", i))
		}
		for i := range 60 {
			time.Sleep(time.Second)
			for j := range 10 {
				failed("flood", fmt.Sprint("flood-later-", 10*i+j))
			}
		}
		check("later", "flood-later-", 60*namespaceRate)
	})
}

func TestCut(t *testing.T) {
	for _, tt := range []struct{ text, want string }{
		{"short", "short"},
		{"rather long", "rather…"},
		{"ääääää", "äää…"},
	} {
		if got := Cut(tt.text, 9); got != tt.want || len(got) > 9 {
			t.Errorf("Cut(%q) is %q, want %q", tt.text, got, tt.want)
		}
	}
}

func TestCutError(t *testing.T) {
	short := errors.New("ok")
	if got := CutError(short, 9); got != short {
		t.Errorf("a short error became %v", got)
	}
	if got := CutError(fmt.Errorf("rather long: %w", short), 9); got.Error() != "rather…" {
		t.Errorf("a long error became %v", got)
	}
	if CutError(nil, 9) != nil {
		t.Error("no error became one")
	}
}
