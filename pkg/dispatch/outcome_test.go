package dispatch

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// noMetrics counts nothing.
type noMetrics struct{}

func (noMetrics) ObserveEvent(string, int)                                   {}
func (noMetrics) ObserveDelivery(string, string, string, int, time.Duration) {}
func (noMetrics) ObserveAttempt(string, time.Duration)                       {}

// jsonRecorder logs as the controller does.
func jsonRecorder(w io.Writer, level slog.Level) *EventRecorder {
	handler := slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	return &EventRecorder{Metrics: noMetrics{}, Events: &record.FakeRecorder{}, Log: logr.FromSlogHandler(handler)}
}

func sentOutcome(result Result) Outcome {
	return Outcome{
		Result: result, EventID: "1", Type: "slack", Attempts: 1, Age: time.Second,
		Object: event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: "shop"},
		Alert:  provider.Object{Namespace: "apps", Name: "alert"}, Provider: provider.Object{Namespace: "apps", Name: "slack"},
	}
}

// TestUnwrittenLinesCostNothing finds lines that are formatted at a level at which they are not written.
func TestUnwrittenLinesCostNothing(t *testing.T) {
	r := jsonRecorder(io.Discard, slog.LevelInfo)
	for _, o := range []Outcome{sentOutcome(Sent), sentOutcome(Skipped)} {
		if allocs := testing.AllocsPerRun(100, func() { r.Outcome(o) }); allocs > 0 {
			t.Errorf("%s: %v allocations", o.Result, allocs)
		}
	}
	v := EventVerdict{Result: Accepted, Event: testEvent()}
	if allocs := testing.AllocsPerRun(100, func() { r.Event(v) }); allocs > 0 {
		t.Errorf("%s: %v allocations", v.Result, allocs)
	}
}

// TestLogTellsOfProblemsOnce has filter, labels and metadata go wrong with every event.
func TestLogTellsOfProblemsOnce(t *testing.T) {
	for level, perReason := range map[slog.Level]int{slog.LevelInfo: 3, slog.LevelDebug: 6} {
		var log bytes.Buffer
		events := record.NewFakeRecorder(100)
		r := jsonRecorder(&log, level)
		r.Events = events
		edited := testAlert(func(a *v1beta3.Alert) { a.Generation++ })
		other := testAlert(func(a *v1beta3.Alert) { a.UID = "other" })
		for _, a := range []*v1beta3.Alert{testAlert(), testAlert(), testAlert(), edited, edited, other} {
			for _, reason := range []string{ReasonFilterFailed, ReasonSourceFetchFailed} {
				r.Problem(a, reason, errors.New("no such key"))
			}
			r.MetadataConflict(a, testEvent().InvolvedObject, map[string]string{"env": "twice"})
		}
		lines := log.String()
		for _, want := range []string{ReasonFilterFailed, ReasonSourceFetchFailed, "Metadata keys have several sources"} {
			if got := strings.Count(lines, want); got != perReason {
				t.Errorf("%s: %d lines with %q, want %d:\n%s", level, got, want, perReason, lines)
			}
		}
		if errors := strings.Count(lines, `"ERROR"`); errors != 6 || len(events.Events) != 18 {
			t.Errorf("%s: %d errors, %d Kubernetes Events, want 6 and 18", level, errors, len(events.Events))
		}
	}
}

// TestMetadataConflictIsCut has keys and an object of any length.
func TestMetadataConflictIsCut(t *testing.T) {
	const advice = "; to choose, remove them from"
	long := strings.Repeat("k", 2000)
	for name, cut := range map[string]bool{"shop": false, long: true} {
		events := record.NewFakeRecorder(1)
		r := jsonRecorder(io.Discard, slog.LevelInfo)
		r.Events = events
		r.MetadataConflict(testAlert(), event.ObjectReference{Kind: "Kustomization", Name: name}, map[string]string{long: "twice", "100%d": "twice"})
		message := strings.TrimPrefix(<-events.Events, "Warning "+ReasonMetadataConflict+" ")
		if len(message) > 1024+len("map[]") || !cut && (!strings.Contains(message, ": 100%d, kkk") || !strings.Contains(message, advice)) {
			t.Errorf("the message has %d bytes: %s", len(message), message)
		}
	}
}

// TestConflictAnnotationsAreBounded has as many keys in conflict as there can be.
func TestConflictAnnotationsAreBounded(t *testing.T) {
	conflicts := map[string]string{}
	for i := range 1000 {
		conflicts[fmt.Sprintf("key-%03d", i)] = "twice"
	}
	events := record.NewFakeRecorder(1)
	r := jsonRecorder(io.Discard, slog.LevelInfo)
	r.Events = events
	r.MetadataConflict(testAlert(), testEvent().InvolvedObject, conflicts)
	written := <-events.Events
	if got := strings.Count(written, ":twice"); got != 50 || !strings.Contains(written, "key-049:twice") {
		t.Errorf("%d annotations, want the first 50: %s", got, written)
	}
}

// TestLogLinesAreBounded has names and errors of any length.
func TestLogLinesAreBounded(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	object := event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: long}
	var log bytes.Buffer
	r := jsonRecorder(&log, slog.LevelDebug)
	for _, result := range []Result{Sent, Skipped, Failed, Dropped} {
		o := sentOutcome(result)
		o.Object, o.Provider.Name = object, long
		if result == Failed || result == Dropped {
			o.Err = errors.New(long)
		}
		r.Outcome(o)
	}
	for range 2 {
		r.Problem(testAlert(), ReasonFilterFailed, errors.New(long))
		r.MetadataConflict(testAlert(), object, map[string]string{long: "twice"})
	}
	r.Problem(nil, ReasonInvalidConfig, errors.New(long))
	lines := strings.Split(strings.TrimSpace(log.String()), "\n")
	if len(lines) != 9 {
		t.Errorf("%d lines, want 9", len(lines))
	}
	for _, line := range lines {
		// Object, Provider and error, and what is said of them.
		if len(line) > 3*1024+500 {
			t.Errorf("a line has %d bytes: %.100s", len(line), line)
		}
	}
}

// TestLoggedProblemsAreBounded counts what is remembered of Alerts that come and go.
func TestLoggedProblemsAreBounded(t *testing.T) {
	r := jsonRecorder(io.Discard, slog.LevelError+1)
	for i := range maxLogged + 10 {
		r.Problem(testAlert(func(a *v1beta3.Alert) { a.UID = types.UID(fmt.Sprint(i)) }), ReasonFilterFailed, errors.New("no such key"))
	}
	if len(r.logged) != 10 {
		t.Errorf("%d problems are remembered", len(r.logged))
	}
}

func BenchmarkOutcome(b *testing.B) {
	for _, level := range []slog.Level{slog.LevelInfo, slog.LevelDebug} {
		b.Run(fmt.Sprint(level), func(b *testing.B) {
			r, o := jsonRecorder(io.Discard, level), sentOutcome(Sent)
			b.ReportAllocs()
			for b.Loop() {
				r.Outcome(o)
			}
		})
	}
}
