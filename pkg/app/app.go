package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/pprof"
	goruntime "runtime"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/go-logr/logr"
	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	utilruntime "k8s.io/apimachinery/pkg/util/runtime"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	deliverycontroller "github.com/notification-controller/notification-controller/pkg/controller/delivery"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/scheme"
	"github.com/notification-controller/notification-controller/pkg/hook"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/identity"
	"github.com/notification-controller/notification-controller/pkg/metrics"
	"github.com/notification-controller/notification-controller/pkg/objects"
	"github.com/notification-controller/notification-controller/pkg/page"
	"github.com/notification-controller/notification-controller/pkg/provider"
	providerregistry "github.com/notification-controller/notification-controller/pkg/provider/registry"
	"github.com/notification-controller/notification-controller/pkg/ratelimit"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/server"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	sourceregistry "github.com/notification-controller/notification-controller/pkg/source/registry"
)

const (
	// maxStates is how many commit statuses and comments are remembered, about 500 bytes each.
	maxStates = 10_000
	// maxRepeats is how many pairs of an Alert with a repeatInterval and an object are remembered, about 300 bytes each.
	maxRepeats = 50_000
	// maxBodies is what the requests under way at one port may take for their bodies, in bytes, beyond the
	// first 64 KiB of each.
	maxBodies = 64 << 20
	// maxSenderBodies is the same for the events from one address: a quarter, so that one Pod does not keep out the events
	// of all controllers.
	maxSenderBodies = 16 << 20
	// writeTimeout is how long a caller may take to read an answer, from the end of its header on.
	writeTimeout = time.Minute
	// mutexFraction is of how many waits for a mutex one is profiled, as in Flux.
	mutexFraction = 5
)

// App is the process: both flows, the controllers and the servers.
type App struct {
	options Options
	log     klog.Logger

	clients     *clients
	informers   *informers
	secrets     *secret.Store
	objects     *objects.Informers
	metrics     *metrics.Metrics
	broadcaster record.EventBroadcaster
	events      record.EventRecorder
	queues      workqueue.MetricsProvider

	// egress is what must not be connected to for a tenant.
	egress *httpx.Egress
	// ledger is nil without a status page.
	ledger *page.Ledger
	broker *identity.Broker
	// tokens is nil if none are kept.
	tokens *metrics.Tokens
	// cloudClient leads to the clouds for all Providers without a proxy.
	cloudClient *http.Client
	dispatch    *dispatch.Handler
	resolver    *dispatch.Resolver
	queue       *dispatch.Queue
	deliveries  *deliverycontroller.Controller
	hook        *hook.Hook
	annotate    *hook.Annotator

	// ready says that the caches are synced, stopping that the process has been told to end, stopped that it takes nothing
	// more.
	ready, stopping, stopped atomic.Bool
	// registrations have synced once what there is at start has been handed to the handlers.
	registrations []cache.ResourceEventHandlerRegistration

	eventServer, receiverServer, metricsServer, healthServer *server.Server
}

// New wires everything and opens the listeners; it starts nothing yet. This is the whole of the process from top to
// bottom, and the only place that knows it: it is long because it is not hidden.
func New(ctx context.Context, o Options) (*App, error) {
	if err := o.Validate(); err != nil {
		return nil, err
	}
	a := &App{options: o, log: klog.FromContext(ctx), metrics: metrics.New()}
	a.metrics.RegisterClient()
	a.queues = a.metrics.Queues()

	var err error
	if a.egress, err = httpx.NewEgress(o.ProviderDenyCIDRs); err != nil {
		return nil, err
	}
	if a.clients, err = newClients(ctx, o); err != nil {
		return nil, err
	}
	a.broadcaster = controller.NewBroadcaster()
	a.events = controller.LimitEvents(a.broadcaster.NewRecorder(eventScheme(), corev1.EventSource{Component: controller.FieldManager}))
	if a.informers, err = newInformers(a.clients, o.watchNamespace()); err != nil {
		return nil, err
	}
	a.secrets = secret.NewStore(a.clients.core.CoreV1(), a.informers.secrets, a.informers.refersTo, secret.StoreOptions{Observer: a.metrics, Queues: a.queues})
	a.objects = objects.New(objects.Options{
		Client:    a.clients.metadata,
		Mapper:    restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(a.clients.core.Discovery())),
		Namespace: o.watchNamespace(),
	})
	a.metrics.CacheSync(a.reportSync)

	eventHandler := a.outbound()
	receiverHandler := a.inbound()
	if err := a.follow(); err != nil {
		return nil, err
	}
	if err := a.listen(eventHandler, receiverHandler); err != nil {
		return nil, err
	}
	return a, nil
}

// eventScheme knows the kinds that Kubernetes Events are about: ours, and the Lease of the leader election.
func eventScheme() *runtime.Scheme {
	known := runtime.NewScheme()
	utilruntime.Must(coordinationv1.AddToScheme(known))
	utilruntime.Must(scheme.AddToScheme(known))
	return known
}

// outbound wires the flow from an event to its notifications.
func (a *App) outbound() http.Handler {
	a.newBroker()
	a.deliveries = deliverycontroller.New(deliverycontroller.Options{
		Settings:  controller.Settings{Observer: a.metrics, Queues: a.queues},
		Client:    a.clients.notification.NotificationV1beta3(),
		Alerts:    a.informers.alertLister,
		Providers: a.informers.providerLister,
	})
	repeats := dispatch.NewRepeats(maxRepeats, time.Now)
	recorder := dispatch.Recorders{
		&dispatch.EventRecorder{Metrics: a.metrics, Events: a.events, Log: a.log.WithName(eventLogger)},
		statusRecorder{status: a.deliveries},
		repeats,
	}
	if a.options.StatusPage {
		a.ledger = page.NewLedger(time.Now)
		recorder = append(recorder, a.ledger)
	}
	types := providerregistry.New().Lookup
	a.resolver = dispatch.NewResolver(a.informers, a.secrets, types, dispatch.ResolverOptions{
		AllowServiceAccounts: a.options.Gate(gateWorkloadIdentity),
		Identity:             a.identity,
		// Another replica writes the same statuses.
		States:         provider.NewStates(maxStates, !a.options.LeaderElection),
		Egress:         a.egress,
		MaxConnections: a.options.Queue.Workers,
	})
	a.queue = dispatch.NewQueue(a.options.Queue, a.resolver.Resolve, recorder)
	a.metrics.Gauge("notification_queue_depth", "Notifications that wait to be sent.", func() float64 {
		waiting, _ := a.queue.Len()
		return float64(waiting)
	})
	a.metrics.Gauge("notification_queue_oldest_age_seconds", "Time since the oldest notification that waits was accepted; 0 if none waits.", func() float64 {
		return a.queue.OldestAge(time.Now()).Seconds()
	})
	a.dispatch = dispatch.NewHandler(dispatch.Options{
		Ready:     a.accepts,
		Windows:   ratelimit.NewWindows(a.options.RateLimitWindow, a.options.RateLimitSize),
		Alerts:    a.informers.alertIndex,
		Labels:    func(ref event.ObjectReference) (map[string]string, error) { return objects.Labels(a.objects, ref) },
		Providers: a.informers,
		Types:     types,
		Repeats:   repeats,
		Queue:     a.queue,
		Record:    recorder,

		NoCrossNamespaceRefs: a.options.NoCrossNamespace,
		Cluster:              a.options.ClusterName,
		ClusterInStatus:      a.options.ClusterNameInCommitStatus,
	})
	return a.dispatch
}

// inbound wires the flow from a webhook to annotated objects.
func (a *App) inbound() http.Handler {
	a.annotate = hook.NewAnnotator(hook.AnnotatorOptions{
		Client: a.clients.metadata, Events: a.events, Observer: a.metrics, Metrics: a.queues,
	})
	client := httpx.NewClient(httpx.Options{Egress: a.egress})
	var called func(hook.Call)
	if a.ledger != nil {
		called = a.ledger.Call
	}
	a.hook = hook.New(hook.Options{
		Receivers:            a.informers.receiverIndex,
		Secrets:              a.secrets,
		Types:                sourceregistry.New().Lookup,
		Verifiers:            source.Config{Keys: jwks.NewCache(client, time.Now), Client: client},
		Objects:              a.objects,
		Queue:                a.annotate,
		Events:               a.events,
		Observer:             a.metrics,
		Log:                  a.log.WithName(receiverLogger),
		Called:               called,
		Ready:                a.accepts,
		NoCrossNamespaceRefs: a.options.NoCrossNamespace,
		CallsPerSecond:       a.options.ReceiverRateLimit,
		MaxDeliveries:        a.options.ReceiverDeliveries,
	})
	return a.hook.Handler()
}

// follow keeps what is derived from objects in step with them: which Secrets and kinds are wanted, what is compiled
// and built, and what waits for a Provider.
func (a *App) follow() error {
	alerts, err := onChange(a.informers.alerts, func(before, alert *v1beta3.Alert) {
		if sameSpec(before, alert) {
			return
		}
		a.objects.Want(alert.UID, objects.ForAlert(alert))
		// Now, and not when the first event comes.
		a.dispatch.Matcher.Compiled(alert)
	}, func(alert *v1beta3.Alert) {
		a.objects.Want(alert.UID, nil)
		a.dispatch.DropAlert(alert.UID)
	})
	if err != nil {
		return fmt.Errorf("follow Alerts: %w", err)
	}
	providers, err := onChange(a.informers.providers, func(before, p *v1beta3.Provider) {
		if sameSpec(before, p) {
			return
		}
		a.followSecrets(secretsOf(before), secretsOf(p))
	}, func(p *v1beta3.Provider) {
		a.secrets.Release(secretsOf(p)...)
		a.resolver.Drop(p.UID)
		if a.tokens != nil {
			a.tokens.Forget(p.Namespace, p.Name)
		}
		a.dispatch.DropProvider(p.UID)
	})
	if err != nil {
		return fmt.Errorf("follow Providers: %w", err)
	}
	receivers, err := onChange(a.informers.receivers, func(before, r *v1.Receiver) {
		if sameSpec(before, r) {
			return
		}
		a.followSecrets(tokensOf(before), tokensOf(r))
		a.objects.Want(r.UID, objects.ForReceiver(r))
	}, func(r *v1.Receiver) {
		a.secrets.Release(tokensOf(r)...)
		a.objects.Want(r.UID, nil)
		a.hook.Drop(r.UID)
		// The controller does so, too, after a pass that has begun; but only the leader runs it.
		a.metrics.ForgetObject("Receiver", r.Namespace, r.Name)
		if a.ledger != nil {
			a.ledger.Drop(r.UID)
		}
	})
	if err != nil {
		return fmt.Errorf("follow Receivers: %w", err)
	}
	a.registrations = []cache.ResourceEventHandlerRegistration{alerts, providers, receivers}
	return nil
}

// followSecrets tells the store which Secrets an object refers to, and which it does no longer.
func (a *App) followSecrets(before, after []types.NamespacedName) {
	a.secrets.Reference(after...)
	a.secrets.Release(slices.DeleteFunc(before, func(name types.NamespacedName) bool { return slices.Contains(after, name) })...)
}

// limitEvents bounds what the bodies of events take, for each of their senders and altogether.
func limitEvents(events http.Handler) http.Handler {
	return server.NewBodies(maxBodies).Limit(server.NewShares(maxSenderBodies).LimitHosts(events))
}

// listen opens all listeners.
func (a *App) listen(events, receiver http.Handler) error {
	log := slog.New(logr.ToSlogHandler(a.log))
	events = server.Observe(limitEvents(events), a.log.WithName(eventLogger), a.metrics.HTTP("gotk_event", "event"), a.eventPath)
	receiver = server.Observe(server.NewBodies(maxBodies).Limit(receiver), a.log.WithName(receiverLogger), a.metrics.HTTP("gotk_receiver", "webhook"), a.receiverPath)
	health := http.NewServeMux()
	for path, checks := range map[string]map[string]server.Check{
		"/healthz": nil,
		"/readyz":  {"caches": a.checkReady},
	} {
		handler := server.Health(path, checks)
		health.Handle(path, handler)
		health.Handle(path+"/", handler)
	}
	for _, s := range []struct {
		server       **server.Server
		name         string
		address      string
		handler      http.Handler
		writeTimeout time.Duration
	}{
		{&a.eventServer, "events (--events-addr)", a.options.EventsAddress, canonical(events), writeTimeout},
		{&a.receiverServer, "webhooks (--receiverAddr)", a.options.ReceiverAddress, receiver, writeTimeout},
		// A profile takes as long as it is asked to.
		{&a.metricsServer, "metrics (--metrics-addr)", a.options.MetricsAddress, a.metricsMux(), 0},
		{&a.healthServer, "probes (--health-addr)", a.options.HealthAddress, health, writeTimeout},
	} {
		listening, err := server.Listen(s.name, s.address, s.handler, s.writeTimeout, log)
		if err != nil {
			return err
		}
		*s.server = listening
	}
	return nil
}

// canonical lets a handler take every path, but has paths with empty or dotted elements redirected, as Go's mux does.
func canonical(handler http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	return mux
}

// eventPath is the value of the label "handler" for the event server.
func (a *App) eventPath(r *http.Request) string {
	if a.options.ExportHTTPPaths && r.URL.Path != "/" {
		return "other"
	}
	return "/"
}

// receiverPath is the same for the webhook server. The paths of Receivers are secret.
func (a *App) receiverPath(r *http.Request) string {
	if a.options.ExportHTTPPaths && !strings.HasPrefix(r.URL.Path, v1.WebhookPathPrefix) {
		return "other"
	}
	return v1.WebhookPathPrefix
}

func (a *App) metricsMux() http.Handler {
	mux := http.NewServeMux()
	mux.Handle("/metrics", a.metrics.Handler())
	// By default there is none, and /debug/pprof/mutex is empty.
	goruntime.SetMutexProfileFraction(mutexFraction)
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	if a.ledger == nil {
		return mux
	}
	status := page.NewHandler(page.Options{
		Ledger: a.ledger, Backlogs: a.queue.Backlogs,
		Receivers: func() ([]*v1.Receiver, error) { return a.informers.receiverLister.List(labels.Everything()) },
	})
	mux.Handle(page.Path, status)
	mux.Handle(page.Path+"/", status)
	return mux
}

func (a *App) checkReady() error {
	if !a.ready.Load() || a.stopping.Load() {
		return errors.New("the caches are not synced yet, or the process is shutting down")
	}
	return nil
}

// EventsAddress is where events are taken; the others likewise.
func (a *App) EventsAddress() string { return a.eventServer.Address() }

// ReceiverAddress is where webhooks are taken.
func (a *App) ReceiverAddress() string { return a.receiverServer.Address() }

// MetricsAddress is where metrics are exposed.
func (a *App) MetricsAddress() string { return a.metricsServer.Address() }

// HealthAddress is where probes are answered.
func (a *App) HealthAddress() string { return a.healthServer.Address() }
