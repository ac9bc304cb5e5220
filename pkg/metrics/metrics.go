// Package metrics is the only one that knows how metrics are exposed. The others call the recording methods of its
// types through interfaces of their own.
package metrics

import (
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/notification-controller/notification-controller/pkg/version"
)

// Metrics records what the process does.
type Metrics struct {
	registry *prometheus.Registry

	events           *prometheus.CounterVec
	matches          prometheus.Counter
	deliveries       *prometheus.CounterVec
	attemptSeconds   *prometheus.HistogramVec
	deliveryAttempts *prometheus.CounterVec
	deliverySeconds  *prometheus.HistogramVec
	webhooks         *prometheus.CounterVec
	previousTokens   *prometheus.CounterVec
	annotations      *prometheus.CounterVec
	annotateSeconds  prometheus.Histogram

	reconcile reconcileMetrics
}

// New returns metrics with a registry of their own.
func New() *Metrics {
	registry := prometheus.NewRegistry()
	m := &Metrics{
		registry: registry,
		events: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "notification_events_total",
			Help: "Requests to the event server by result (accepted, repeated, invalid, unreadable, not_ready).",
		}, []string{"result"}),
		matches: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "notification_event_matches_total",
			Help: "Alerts that selected an accepted event.",
		}),
		attemptSeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "notification_delivery_attempt_duration_seconds",
			Help:    "Duration of the attempts to send a notification.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 15, 30, 60},
		}, []string{"type"}),
		deliveries: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "notification_deliveries_total",
			Help: "Notifications by the type of their Provider (unknown if there is none of that type), result (sent, failed, dropped, skipped) and why.",
		}, []string{"type", "result", "reason"}),
		deliveryAttempts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "notification_delivery_attempts_total",
			Help: "Attempts made for the notifications that were sent or failed.",
		}, []string{"type"}),
		deliverySeconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "notification_delivery_duration_seconds",
			Help:    "Time from the acceptance of an event to the end of its notification.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 30, 60, 300, 3600},
		}, []string{"type", "result"}),
		webhooks: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "notification_webhooks_total",
			Help: "Webhook calls by the type of their Receiver (unknown if there is none at the path) and outcome.",
		}, []string{"type", "outcome"}),
		previousTokens: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "notification_webhooks_previous_token_total",
			Help: "Authentic webhook calls to the path of a previousToken, by receiver type: once there are none, it can go.",
		}, []string{"type"}),
		annotations: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "notification_annotations_total",
			Help: "Attempts to annotate an object, by outcome (written, gone, not_written).",
		}, []string{"outcome"}),
		annotateSeconds: prometheus.NewHistogram(prometheus.HistogramOpts{
			Name:    "notification_annotate_duration_seconds",
			Help:    "Duration of the attempts to annotate an object.",
			Buckets: prometheus.DefBuckets,
		}),
		reconcile: newReconcileMetrics(registry),
	}
	registry.MustRegister(
		collectors.NewGoCollector(collectors.WithGoCollectorRuntimeMetrics(collectors.MetricsAll)), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
		m.events, m.matches, m.attemptSeconds, m.deliveries, m.deliveryAttempts, m.deliverySeconds, m.webhooks, m.previousTokens, m.annotations, m.annotateSeconds,
		buildInfo(),
	)
	return m
}

// buildInfo says which build this is, in the way of all Prometheus exporters: 1, with the answer in its labels.
func buildInfo() prometheus.Collector {
	info := prometheus.NewGaugeVec(prometheus.GaugeOpts{
		Name: "notification_build_info",
		Help: "1, labelled with the version that runs and that of Go.",
	}, []string{"version", "goversion"})
	info.WithLabelValues(version.Version(), runtime.Version()).Set(1)
	return info
}

// Handler exposes the metrics.
func (m *Metrics) Handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{Registry: m.registry})
}

// Describe sends the description of every metric, also of those that have no series yet.
func (m *Metrics) Describe(descriptions chan<- *prometheus.Desc) { m.registry.Describe(descriptions) }

// ObserveEvent records what became of a request to the event server, and how many Alerts selected the event.
func (m *Metrics) ObserveEvent(result string, matches int) {
	m.events.WithLabelValues(result).Inc()
	m.matches.Add(float64(matches))
}

// ObserveAttempt records an attempt to send a notification.
func (m *Metrics) ObserveAttempt(providerType string, took time.Duration) {
	m.attemptSeconds.WithLabelValues(providerType).Observe(took.Seconds())
}

// ObserveDelivery records how a notification ended.
func (m *Metrics) ObserveDelivery(providerType, result, reason string, attempts int, age time.Duration) {
	m.deliveries.WithLabelValues(providerType, result, reason).Inc()
	if attempts > 0 {
		m.deliveryAttempts.WithLabelValues(providerType).Add(float64(attempts))
		m.deliverySeconds.WithLabelValues(providerType, result).Observe(age.Seconds())
	}
}

// ObserveWebhook records how a webhook call ended.
func (m *Metrics) ObserveWebhook(receiverType, outcome string) {
	m.webhooks.WithLabelValues(receiverType, outcome).Inc()
}

// ObservePreviousToken records an authentic webhook call with the token before the current one.
func (m *Metrics) ObservePreviousToken(receiverType string) {
	m.previousTokens.WithLabelValues(receiverType).Inc()
}

// ObserveAnnotate records an attempt to annotate an object.
func (m *Metrics) ObserveAnnotate(outcome string, took time.Duration) {
	m.annotations.WithLabelValues(outcome).Inc()
	m.annotateSeconds.Observe(took.Seconds())
}

// Gauge registers a gauge that is read when it is exposed.
func (m *Metrics) Gauge(name, help string, read func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{Name: name, Help: help}, read))
}
