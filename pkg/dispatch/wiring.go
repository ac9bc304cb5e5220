package dispatch

import (
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/ratelimit"
)

// Options are what a [Handler] works with. All but Repeats, Cluster and the flags have to be set; the Queue can be set later.
type Options struct {
	// Ready says whether the caches are synced and the process is not shutting down.
	Ready func() bool
	// Windows tells repetitions.
	Windows   *ratelimit.Windows
	Alerts    AlertLookup
	Labels    ObjectLabels
	Providers ProviderGetter
	Types     TypeLookup
	// Repeats holds back what an Alert has told already.
	Repeats *Repeats
	Queue   *Queue
	Record  Recorder
	// NoCrossNamespaceRefs keeps Alerts from objects of other namespaces.
	NoCrossNamespaceRefs bool
	// Cluster is put into the metadata of notifications that do not say, and with ClusterInStatus before the names of
	// commit statuses.
	Cluster         string
	ClusterInStatus bool
}

// NewHandler returns a Handler with the stages of the flow.
func NewHandler(o Options) *Handler {
	matcher := NewMatcher(o.Alerts, o.Labels, o.NoCrossNamespaceRefs, o.Record)
	statusIDs := NewStatusIDs()
	if o.ClusterInStatus {
		statusIDs.Cluster = o.Cluster
	}
	return &Handler{
		Ready: o.Ready, Windows: o.Windows, Matcher: matcher, Queue: o.Queue, Record: o.Record,
		Router: &Router{
			Providers: o.Providers, Types: o.Types, StatusIDs: statusIDs, Compiled: matcher.Compiled,
			Repeats: o.Repeats, Cluster: o.Cluster, Record: o.Record,
		},
	}
}

// DropAlert forgets an Alert that is gone.
func (h *Handler) DropAlert(uid types.UID) {
	h.Matcher.Drop(uid)
	h.Router.Repeats.Drop(uid)
	h.Router.StatusIDs.Drop(uid)
}

// DropProvider forgets a Provider that is gone, and drops what waits for it.
func (h *Handler) DropProvider(uid types.UID) {
	h.Router.StatusIDs.Drop(uid)
	h.Queue.DropProvider(string(uid))
}
