package metrics

import "github.com/prometheus/client_golang/prometheus"

// cacheSync asks for the state of the caches whenever it is exposed: kinds come and go with the objects that name them.
type cacheSync struct {
	synced *prometheus.Desc
	read   func(report func(kind string, synced bool))
}

// CacheSync registers a gauge for each kind that read reports. Kinds are from a closed set.
func (m *Metrics) CacheSync(read func(report func(kind string, synced bool))) {
	m.registry.MustRegister(cacheSync{
		synced: prometheus.NewDesc("notification_cache_synced",
			"1 if all objects of the kind have been read, 0 if not yet or not any more; kinds that nothing refers to have no series.",
			[]string{"kind"}, nil),
		read: read,
	})
}

// Describe implements [prometheus.Collector].
func (c cacheSync) Describe(descriptions chan<- *prometheus.Desc) { descriptions <- c.synced }

// Collect implements [prometheus.Collector].
func (c cacheSync) Collect(metrics chan<- prometheus.Metric) {
	c.read(func(kind string, synced bool) {
		value := 0.0
		if synced {
			value = 1
		}
		metrics <- prometheus.MustNewConstMetric(c.synced, prometheus.GaugeValue, value, kind)
	})
}
