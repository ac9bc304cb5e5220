package metrics

import (
	"github.com/prometheus/client_golang/prometheus"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Values of the labels of tokens, which are those of Flux: Providers are the only ones that ask for tokens, and they do
// so to post.
const (
	tokenKind      = "Provider"
	tokenOperation = "post"
)

// Tokens records what becomes of access tokens.
type Tokens struct {
	events    *prometheus.CounterVec
	requests  *prometheus.CounterVec
	evictions prometheus.Counter
}

// Tokens registers the metrics of a cache of tokens; kept reads how many there are in it.
func (m *Metrics) Tokens(kept func() int) *Tokens {
	t := &Tokens{
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gotk_token_cache_events_total",
			Help: "Access tokens that were asked for, by whether they were kept (cache_hit, cache_miss).",
		}, []string{"event_type", "kind", "name", "namespace", "operation"}),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "gotk_token_cache_requests_total",
			Help: "Requests for access tokens, by status (success, failure).",
		}, []string{"status"}),
		evictions: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "gotk_token_cache_evictions_total",
			Help: "Access tokens that were dropped to make room for others.",
		}),
	}
	m.registry.MustRegister(t.events, t.requests, t.evictions)
	m.Gauge("gotk_token_cached_items", "Access tokens that are kept.", func() float64 { return float64(kept()) })
	return t
}

// ObserveToken records that a Provider asked for a token, and whether it was kept.
func (t *Tokens) ObserveToken(p provider.Object, kept bool) {
	event := "cache_miss"
	if kept {
		event = "cache_hit"
	}
	t.events.WithLabelValues(event, tokenKind, p.Name, p.Namespace, tokenOperation).Inc()
}

// ObserveTokenRequest records how a request for a token ended.
func (t *Tokens) ObserveTokenRequest(ok bool) {
	status := "failure"
	if ok {
		status = "success"
	}
	t.requests.WithLabelValues(status).Inc()
}

// ObserveTokenEviction records that a token was dropped to make room.
func (t *Tokens) ObserveTokenEviction() { t.evictions.Inc() }

// Forget drops what was recorded of a Provider that is gone.
func (t *Tokens) Forget(namespace, name string) {
	t.events.DeletePartialMatch(prometheus.Labels{"name": name, "namespace": namespace})
}
