package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/notification-controller/notification-controller/pkg/controller"
)

// reconcileMetrics are those of the worker loops, under the names that dashboards know.
type reconcileMetrics struct {
	total    *prometheus.CounterVec
	errors   *prometheus.CounterVec
	panics   *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
	duration *prometheus.HistogramVec
}

// durationBuckets are ten from 10 ms to 30 minutes, each about 3.8 times the one before.
const durationBuckets = 10

func newReconcileMetrics(registry prometheus.Registerer) reconcileMetrics {
	m := reconcileMetrics{
		total: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "controller_runtime_reconcile_total",
			Help: "Passes of a worker loop by result.",
		}, []string{"controller", "result"}),
		errors: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "controller_runtime_reconcile_errors_total",
			Help: "Passes of a worker loop that failed.",
		}, []string{"controller"}),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "controller_runtime_reconcile_panics_total",
			Help: "Passes of a worker loop that panicked.",
		}, []string{"controller"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "controller_runtime_reconcile_time_seconds",
			Help:    "Duration of the passes of a worker loop.",
			Buckets: prometheus.ExponentialBucketsRange(0.001, 60, 20),
		}, []string{"controller"}),
		duration: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name:    "gotk_reconcile_duration_seconds",
			Help:    "Duration of the reconciliations of an object.",
			Buckets: prometheus.ExponentialBucketsRange(0.01, 1800, durationBuckets),
		}, []string{"kind", "name", "namespace"}),
	}
	registry.MustRegister(m.total, m.errors, m.panics, m.seconds, m.duration)
	return m
}

// ObserveReconcile implements [controller.Observer].
func (m *Metrics) ObserveReconcile(loop string, result controller.Result, err error, took time.Duration) {
	outcome := "success"
	switch {
	case err != nil:
		outcome = "error"
		m.reconcile.errors.WithLabelValues(loop).Inc()
		if controller.IsPanic(err) {
			m.reconcile.panics.WithLabelValues(loop).Inc()
		}
	case result.RequeueAfter > 0:
		outcome = "requeue_after"
	}
	m.reconcile.total.WithLabelValues(loop, outcome).Inc()
	m.reconcile.seconds.WithLabelValues(loop).Observe(took.Seconds())
}

// ObserveObject records the duration of a reconciliation of one object. It is the only series with names of objects.
func (m *Metrics) ObserveObject(kind, namespace, name string, took time.Duration) {
	m.reconcile.duration.WithLabelValues(kind, name, namespace).Observe(took.Seconds())
}

// ForgetObject removes the series of an object that is gone.
func (m *Metrics) ForgetObject(kind, namespace, name string) {
	m.reconcile.duration.DeleteLabelValues(kind, name, namespace)
}
