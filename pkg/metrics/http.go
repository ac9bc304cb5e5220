package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/notification-controller/notification-controller/pkg/server"
)

// HTTP are the metrics of one server, as Flux names them.
type HTTP struct {
	duration *prometheus.HistogramVec
	size     *prometheus.HistogramVec
	inflight *prometheus.GaugeVec
}

var _ server.RequestMetrics = (*HTTP)(nil)

// service is the value of a label that Flux has but leaves empty.
const service = ""

// HTTP registers the metrics of a server, which all begin with prefix.
func (m *Metrics) HTTP(prefix, server string) *HTTP {
	h := &HTTP{
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    prefix + "_http_request_duration_seconds",
			Help:    "Duration of the requests to the " + server + " server.",
			Buckets: prometheus.DefBuckets,
		}, []string{"service", "handler", "method", "code"}),
		size: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    prefix + "_http_response_size_bytes",
			Help:    "Size of the bodies of the responses of the " + server + " server.",
			Buckets: prometheus.ExponentialBuckets(100, 10, 8),
		}, []string{"service", "handler", "method", "code"}),
		inflight: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: prefix + "_http_requests_inflight",
			Help: "Requests to the " + server + " server that are being handled.",
		}, []string{"service", "handler"}),
	}
	m.registry.MustRegister(h.duration, h.size, h.inflight)
	return h
}

// RequestStarted implements [server.RequestMetrics].
func (h *HTTP) RequestStarted(handler string) func(method, code string, took time.Duration, bytes int) {
	inflight := h.inflight.WithLabelValues(service, handler)
	inflight.Inc()
	return func(method, code string, took time.Duration, bytes int) {
		inflight.Dec()
		h.duration.WithLabelValues(service, handler, method, code).Observe(took.Seconds())
		h.size.WithLabelValues(service, handler, method, code).Observe(float64(bytes))
	}
}
