// Package dispatch is the outbound flow, a file for each stage: an event comes in (handler.go), is matched with the
// Alerts (match.go), routed to their Providers (route.go), rendered unless it has just been told (render.go, repeat.go),
// and queued and delivered (queue.go, deliver.go) by the sender that its Provider stands for (resolve.go). Every outcome
// ends in the recorder (outcome.go).
package dispatch

import (
	"context"
	"crypto/rand"
	"net/http"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/ratelimit"
	"github.com/notification-controller/notification-controller/pkg/server"
)

// Handler takes the events that controllers post. It answers 202 once an event has been matched and its
// notifications queued; 503 before the caches are synced, during shutdown and while too many are under way; 429 for a
// repetition; 400 and 413 for what is not an event.
type Handler struct {
	// Ready says whether the caches are synced and the process is not shutting down.
	Ready func() bool
	// Windows tells repetitions.
	Windows *ratelimit.Windows
	Matcher *Matcher
	Router  *Router
	Queue   *Queue
	Record  Recorder
}

// ServeHTTP implements [http.Handler] for every method and path, as senders expect.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// Decided before anything is taken: a refused event has to be able to come again.
	if !h.Ready() {
		w.Header().Set("Retry-After", server.RetryAfter)
		http.Error(w, "not ready", http.StatusServiceUnavailable)
		h.Record.Event(EventVerdict{Result: NotReady})
		return
	}
	body, err := server.ReadBody(w, r)
	if err != nil {
		server.WriteBodyError(w, err)
		h.Record.Event(EventVerdict{Result: Unreadable, Err: err})
		return
	}
	e, fingerprint, err := event.Read(body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		h.Record.Event(EventVerdict{Result: Invalid, Err: err})
		return
	}
	if h.isRepetition(w, ratelimit.Key(fingerprint[:len(ratelimit.Key{})])) {
		h.Record.Event(EventVerdict{Result: Repeated, Event: e})
		return
	}
	e.ID = rand.Text()
	h.dispatch(r, e)
	w.WriteHeader(http.StatusAccepted)
}

// isRepetition sets the headers of rate limiting and answers an event that has been accepted within the window.
func (h *Handler) isRepetition(w http.ResponseWriter, fingerprint ratelimit.Key) bool {
	passed, reset := h.Windows.Take(fingerprint, time.Now())
	header := w.Header()
	header.Set("X-RateLimit-Limit", "1")
	header.Set("X-RateLimit-Remaining", "0")
	header.Set("X-RateLimit-Reset", reset.UTC().Format(http.TimeFormat))
	if passed {
		return false
	}
	header.Set("Retry-After", reset.UTC().Format(http.TimeFormat))
	http.Error(w, http.StatusText(http.StatusTooManyRequests), http.StatusTooManyRequests)
	return true
}

// dispatch is the rest of the flow. Nothing in it waits for the network, and nothing depends on the caller staying.
func (h *Handler) dispatch(r *http.Request, e *event.Event) {
	// The event has been taken, whether or not its sender stays.
	ctx := context.WithoutCancel(r.Context())
	judgements := h.Matcher.Match(e)
	h.Record.Event(EventVerdict{Result: Accepted, Event: e, Judgements: judgements})
	for _, judgement := range judgements {
		if judgement.Verdict != Matched {
			continue
		}
		p, row, ok := h.Router.Route(e, judgement.Alert)
		if !ok {
			continue
		}
		if n, ok := h.Router.Render(ctx, e, judgement.Alert, p, row); ok {
			h.Queue.Enqueue(n, row)
		}
	}
}
