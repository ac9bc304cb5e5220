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
	terminal *prometheus.CounterVec
	panics   *prometheus.CounterVec
	timeouts *prometheus.CounterVec
	workers  *prometheus.GaugeVec
	active   *prometheus.GaugeVec
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
		terminal: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "controller_runtime_terminal_reconcile_errors_total",
			Help: "Passes of a worker loop that found what only an edit can heal; they are not among those that failed.",
		}, []string{"controller"}),
		panics: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "controller_runtime_reconcile_panics_total",
			Help: "Passes of a worker loop that panicked.",
		}, []string{"controller"}),
		timeouts: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "controller_runtime_reconcile_timeouts_total",
			Help: "Passes of a worker loop that were ended because they took 30 seconds.",
		}, []string{"controller"}),
		workers: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "controller_runtime_max_concurrent_reconciles",
			Help: "Workers of a loop.",
		}, []string{"controller"}),
		active: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "controller_runtime_active_workers",
			Help: "Workers of a loop that are busy.",
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
	registry.MustRegister(m.total, m.errors, m.terminal, m.panics, m.timeouts, m.workers, m.active, m.seconds, m.duration)
	return m
}

// LoopStarted implements [controller.Observer]. All series of the loop are there from now on: increase() does not see the
// first one of a counter that is not.
func (m *Metrics) LoopStarted(loop string, workers int) {
	m.reconcile.workers.WithLabelValues(loop).Set(float64(workers))
	m.reconcile.active.WithLabelValues(loop)
	for _, counter := range []*prometheus.CounterVec{m.reconcile.errors, m.reconcile.terminal, m.reconcile.panics, m.reconcile.timeouts} {
		counter.WithLabelValues(loop)
	}
	// No loop here ends a pass with the last of them.
	for _, result := range []string{"success", "error", "requeue_after", "requeue"} {
		m.reconcile.total.WithLabelValues(loop, result)
	}
}

// ReconcileStarted implements [controller.Observer].
func (m *Metrics) ReconcileStarted(loop string) { m.reconcile.active.WithLabelValues(loop).Inc() }

// ObserveReconcile implements [controller.Observer].
func (m *Metrics) ObserveReconcile(loop string, result controller.Result, err error, took time.Duration) {
	m.reconcile.active.WithLabelValues(loop).Dec()
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
	if err == nil && result.Terminal {
		m.reconcile.terminal.WithLabelValues(loop).Inc()
	}
	if took >= controller.PassLimit {
		m.reconcile.timeouts.WithLabelValues(loop).Inc()
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
