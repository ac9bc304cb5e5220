package metrics

import (
	"context"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/tools/leaderelection"
	clientmetrics "k8s.io/client-go/tools/metrics"
	"k8s.io/client-go/util/workqueue"
)

// RegisterClient makes client-go report its requests and leader election here. client-go takes the first registration
// of a process only.
func (m *Metrics) RegisterClient() {
	requests := prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "rest_client_requests_total",
		Help: "Requests to the API server by status code, method and host.",
	}, []string{"code", "method", "host"})
	leader := leaderMetrics{
		status: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "leader_election_master_status",
			Help: "1 while this process holds the Lease.",
		}, []string{"name"}),
		slowpath: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "leader_election_slowpath_total",
			Help: "Renewals of the Lease that needed a read first.",
		}, []string{"name"}),
	}
	m.registry.MustRegister(requests, leader.status, leader.slowpath)
	clientmetrics.Register(clientmetrics.RegisterOpts{RequestResult: requestMetrics{requests}})
	leaderelection.SetProvider(leader)
}

type requestMetrics struct{ requests *prometheus.CounterVec }

func (m requestMetrics) Increment(_ context.Context, code, method, host string) {
	m.requests.WithLabelValues(code, method, host).Inc()
}

type leaderMetrics struct {
	status   *prometheus.GaugeVec
	slowpath *prometheus.CounterVec
}

func (m leaderMetrics) NewLeaderMetric() leaderelection.LeaderMetric { return m }
func (m leaderMetrics) On(name string)                               { m.status.WithLabelValues(name).Set(1) }
func (m leaderMetrics) Off(name string)                              { m.status.WithLabelValues(name).Set(0) }
func (m leaderMetrics) SlowpathExercised(name string)                { m.slowpath.WithLabelValues(name).Inc() }

// queueMetrics are those of the workqueues, as client-go's own exposition names them.
type queueMetrics struct {
	depth, unfinished, longest *prometheus.GaugeVec
	adds, retries              *prometheus.CounterVec
	latency, work              *prometheus.HistogramVec
}

// priority is that of a key to which none was given; here that is every one.
const priority = "0"

// Queues registers the metrics of the workqueues.
func (m *Metrics) Queues() workqueue.MetricsProvider {
	labels := []string{"name", "controller"}
	gauge := func(name, help string) *prometheus.GaugeVec {
		return prometheus.NewGaugeVec(prometheus.GaugeOpts{Subsystem: "workqueue", Name: name, Help: help}, labels)
	}
	counter := func(name, help string) *prometheus.CounterVec {
		return prometheus.NewCounterVec(prometheus.CounterOpts{Subsystem: "workqueue", Name: name, Help: help}, labels)
	}
	histogram := func(name, help string) *prometheus.HistogramVec {
		return prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Subsystem: "workqueue", Name: name, Help: help, Buckets: prometheus.ExponentialBuckets(10e-9, 10, 12),
		}, labels)
	}
	q := queueMetrics{
		depth: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Subsystem: "workqueue", Name: "depth", Help: "Keys that wait for a worker.",
		}, append(labels, "priority")),
		unfinished: gauge("unfinished_work_seconds", "Seconds of work under way."),
		longest:    gauge("longest_running_processor_seconds", "Seconds that the longest pass under way has taken."),
		adds:       counter("adds_total", "Keys added."),
		retries:    counter("retries_total", "Keys added again after a failure."),
		latency:    histogram("queue_duration_seconds", "Seconds that a key waits for a worker."),
		work:       histogram("work_duration_seconds", "Seconds that a pass takes."),
	}
	m.registry.MustRegister(q.depth, q.unfinished, q.longest, q.adds, q.retries, q.latency, q.work)
	return q
}

func (q queueMetrics) NewDepthMetric(name string) workqueue.GaugeMetric {
	return q.depth.WithLabelValues(name, name, priority)
}

func (q queueMetrics) NewAddsMetric(name string) workqueue.CounterMetric {
	return q.adds.WithLabelValues(name, name)
}

func (q queueMetrics) NewLatencyMetric(name string) workqueue.HistogramMetric {
	return q.latency.WithLabelValues(name, name)
}

func (q queueMetrics) NewWorkDurationMetric(name string) workqueue.HistogramMetric {
	return q.work.WithLabelValues(name, name)
}

func (q queueMetrics) NewUnfinishedWorkSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return q.unfinished.WithLabelValues(name, name)
}

func (q queueMetrics) NewLongestRunningProcessorSecondsMetric(name string) workqueue.SettableGaugeMetric {
	return q.longest.WithLabelValues(name, name)
}

func (q queueMetrics) NewRetriesMetric(name string) workqueue.CounterMetric {
	return q.retries.WithLabelValues(name, name)
}
