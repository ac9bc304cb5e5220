package dispatch

import (
	"fmt"
	"io"
	"log/slog"
	"testing"
	"time"

	"github.com/go-logr/logr"
	"k8s.io/client-go/tools/record"

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
