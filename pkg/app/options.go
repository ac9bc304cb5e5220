// Package app is the one that knows all others: it turns options into clients, informers, flows and servers, and
// starts and stops them in order.
package app

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/spf13/pflag"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/rest"

	"github.com/notification-controller/notification-controller/pkg/controller"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/httpx"
)

// Feature gates.
const (
	gateWorkloadIdentity = "ObjectLevelWorkloadIdentity"
	gateCacheSecrets     = "CacheSecretsAndConfigMaps"
	gateNoConfigWatchers = "DisableConfigWatchers"
)

// maxClusterName is how long the name of a cluster can be, in bytes.
const maxClusterName = 253

// Options configure the process. Names and defaults of the flags are those of Flux, so that moving over is a change of
// image; what is ours comes last.
type Options struct {
	MetricsAddress   string
	EventsAddress    string
	HealthAddress    string
	ReceiverAddress  string
	Concurrent       int
	RateLimitWindow  time.Duration
	ExportHTTPPaths  bool
	AllNamespaces    bool
	WatchSelector    string
	KubeQPS          float32
	KubeBurst        int
	LogEncoding      string
	LogLevel         string
	NoCrossNamespace bool
	RetryBackoff     controller.Backoff
	FeatureGates     map[string]string

	LeaderElection  bool
	ReleaseOnCancel bool
	LeaseDuration   time.Duration
	RenewDeadline   time.Duration
	RetryPeriod     time.Duration

	// StatusPage shows what happened lately on the metrics port.
	StatusPage bool
	// ProviderDenyCIDRs are ranges of addresses that tenants must not reach by way of the controller.
	ProviderDenyCIDRs []string

	TokenCacheMaxSize     int
	TokenCacheMaxDuration time.Duration
	DefaultServiceAccount string

	// ClusterName is added to the metadata of notifications; empty for none.
	ClusterName string
	// ClusterNameInCommitStatus has ids of commit statuses begin with it.
	ClusterNameInCommitStatus bool

	// ShutdownDelay is how long events and webhooks are still taken when the process has been told to end, at most half of
	// ShutdownTimeout.
	ShutdownDelay   time.Duration
	ShutdownTimeout time.Duration
	Queue           dispatch.QueueOptions
	// RateLimitSize is how many events are remembered to tell repetitions, up to 85 bytes each.
	RateLimitSize int
	// ReceiverDeliveries is how many webhook calls are remembered for the same, about 140 bytes each.
	ReceiverDeliveries int
	// ReceiverRateLimit is how often a second each Receiver may be called; 0 means without limit.
	ReceiverRateLimit float64

	// RuntimeNamespace is the namespace that the process runs in.
	RuntimeNamespace string
	// Kubeconfig is used instead of the environment's if set; for tests.
	Kubeconfig *rest.Config
}

// DefaultOptions are what the flags default to.
func DefaultOptions() Options {
	return Options{
		MetricsAddress: ":8080", EventsAddress: ":9090", HealthAddress: ":9440", ReceiverAddress: ":9292",
		Concurrent: 4, RateLimitWindow: 5 * time.Minute, AllNamespaces: true,
		WatchSelector: "reconcile.fluxcd.io/watch=Enabled", KubeQPS: 50, KubeBurst: 300,
		LogEncoding: "json", LogLevel: "info",
		RetryBackoff:    controller.Backoff{Min: 750 * time.Millisecond, Max: 15 * time.Minute},
		ReleaseOnCancel: true, LeaseDuration: 35 * time.Second, RenewDeadline: 30 * time.Second, RetryPeriod: 5 * time.Second,
		TokenCacheMaxSize: 100, TokenCacheMaxDuration: time.Hour,
		ShutdownDelay:      3 * time.Second,
		ShutdownTimeout:    25 * time.Second,
		Queue:              dispatch.DefaultQueueOptions(),
		RateLimitSize:      1_000_000,
		ReceiverDeliveries: 100_000,
		RuntimeNamespace:   os.Getenv("RUNTIME_NAMESPACE"),
	}
}

// AddFlags binds the options to flags.
func (o *Options) AddFlags(flags *pflag.FlagSet) {
	flags.StringVar(&o.MetricsAddress, "metrics-addr", o.MetricsAddress, "address of the metrics and pprof endpoints")
	flags.StringVar(&o.EventsAddress, "events-addr", o.EventsAddress, "address that controllers post events to")
	flags.StringVar(&o.HealthAddress, "health-addr", o.HealthAddress, "address of the health probes")
	flags.StringVar(&o.ReceiverAddress, "receiverAddr", o.ReceiverAddress, "address that webhooks are sent to")
	flags.IntVar(&o.Concurrent, "concurrent", o.Concurrent, "number of objects of a kind that are reconciled at a time")
	flags.DurationVar(&o.RateLimitWindow, "rate-limit-interval", o.RateLimitWindow, "time in which a repeated event is refused")
	flags.BoolVar(&o.ExportHTTPPaths, "export-http-path-metrics", o.ExportHTTPPaths, "label HTTP metrics with the request's path; webhook paths, which are secret, stay /hook/, and unknown ones become other")
	flags.BoolVar(&o.AllNamespaces, "watch-all-namespaces", o.AllNamespaces, "watch all namespaces instead of only RUNTIME_NAMESPACE")
	flags.StringVar(&o.WatchSelector, "watch-configs-label-selector", o.WatchSelector, "accepted without effect: every Secret that is referred to is watched, labelled or not")
	flags.Float32Var(&o.KubeQPS, "kube-api-qps", o.KubeQPS, "requests a second to an API server without priority and fairness")
	flags.IntVar(&o.KubeBurst, "kube-api-burst", o.KubeBurst, "requests at once to an API server without priority and fairness")
	flags.StringVar(&o.LogEncoding, "log-encoding", o.LogEncoding, "json or console")
	flags.StringVar(&o.LogLevel, "log-level", o.LogLevel, "trace, debug, info or error")
	flags.BoolVar(&o.NoCrossNamespace, "no-cross-namespace-refs", o.NoCrossNamespace, "block references to objects in other namespaces")
	flags.StringSliceVar(&o.ProviderDenyCIDRs, "provider-deny-cidrs", o.ProviderDenyCIDRs, "ranges of addresses where Providers, and the issuers of Receivers, are not looked for, such as 169.254.0.0/16")
	flags.DurationVar(&o.RetryBackoff.Min, "min-retry-delay", o.RetryBackoff.Min, "wait after the first failure to reconcile a Receiver")
	flags.DurationVar(&o.RetryBackoff.Max, "max-retry-delay", o.RetryBackoff.Max, "longest wait after a failure to reconcile a Receiver")
	flags.StringToStringVar(&o.FeatureGates, "feature-gates", o.FeatureGates, "NAME=true,… for the gates "+strings.Join(featureGates(), ", ")+"; those about Secrets are accepted without effect")

	flags.BoolVar(&o.LeaderElection, "enable-leader-election", o.LeaderElection, "let only one replica reconcile; the status of the last delivery is written by whichever delivered")
	flags.BoolVar(&o.ReleaseOnCancel, "leader-election-release-on-cancel", o.ReleaseOnCancel, "give up the Lease at shutdown")
	flags.DurationVar(&o.LeaseDuration, "leader-election-lease-duration", o.LeaseDuration, "time after which another replica may take the Lease")
	flags.DurationVar(&o.RenewDeadline, "leader-election-renew-deadline", o.RenewDeadline, "time after which the leader stops if it cannot renew the Lease")
	flags.DurationVar(&o.RetryPeriod, "leader-election-retry-period", o.RetryPeriod, "time between two tries to get or renew the Lease")

	flags.IntVar(&o.TokenCacheMaxSize, "token-cache-max-size", o.TokenCacheMaxSize, "number of access tokens of clouds and GitHub Apps that are kept; 0 keeps none")
	flags.DurationVar(&o.TokenCacheMaxDuration, "token-cache-max-duration", o.TokenCacheMaxDuration, "longest time that an access token is kept, at most 1h")
	flags.StringVar(&o.DefaultServiceAccount, "default-service-account", o.DefaultServiceAccount, "ServiceAccount of Providers that name none; needs the gate "+gateWorkloadIdentity)

	flags.DurationVar(&o.ShutdownDelay, "shutdown-delay", o.ShutdownDelay, "time to go on taking events and webhooks at shutdown, until nobody sends them to this Pod any more; at most half of --shutdown-timeout, and part of it")
	flags.DurationVar(&o.ShutdownTimeout, "shutdown-timeout", o.ShutdownTimeout, "time to finish at shutdown, to send what is queued above all; has to be shorter than the Pod's grace period")
	flags.BoolVar(&o.StatusPage, "enable-status-page", o.StatusPage, "show what became of the last events, deliveries and webhooks at /status on the metrics port, to whoever reaches it")
	flags.StringVar(&o.ClusterName, "cluster-name", o.ClusterName, "entry cluster in the metadata of every notification, unless the Alert or the event has one")
	flags.BoolVar(&o.ClusterNameInCommitStatus, "cluster-name-in-commit-status", o.ClusterNameInCommitStatus, "have the ids of commit statuses begin with --cluster-name, but for those of spec.commitStatusExpr")
	flags.Float64Var(&o.ReceiverRateLimit, "receiver-rate-limit", o.ReceiverRateLimit, "authentic calls a second for each Receiver, beyond which they are answered 429; 0 means without limit")
	flags.IntVar(&o.Queue.PerProvider, "provider-queue-size", o.Queue.PerProvider, "notifications that may wait for one Provider; beyond that the oldest is dropped")
	flags.IntVar(&o.Queue.Total, "queue-size", o.Queue.Total, "notifications that may wait for all Providers together")
	flags.IntVar(&o.Queue.TotalBytes, "queue-memory", o.Queue.TotalBytes, "bytes that waiting notifications may take, beyond which the oldest of the namespace with most of them is dropped; those being sent for one namespace may take a quarter of it besides")
	flags.IntVar(&o.Queue.Workers, "provider-concurrency", o.Queue.Workers, "notifications of one Provider that are sent at a time")
	flags.IntVar(&o.RateLimitSize, "rate-limit-size", o.RateLimitSize, "events that are remembered to refuse their repetition, up to 85 bytes each; beyond that some are forgotten")
	flags.IntVar(&o.ReceiverDeliveries, "receiver-delivery-size", o.ReceiverDeliveries, "webhook deliveries that are remembered to tell their repetition, about 140 bytes each; beyond that those go first that would be forgotten first")
}

func featureGates() []string {
	return []string{gateCacheSecrets, gateNoConfigWatchers, gateWorkloadIdentity}
}

// Gate says whether a feature gate is on. Validate has checked the values.
func (o *Options) Gate(name string) bool {
	on, _ := strconv.ParseBool(o.FeatureGates[name])
	return on
}

// Validate returns what is wrong with the options, naming the flags.
func (o *Options) Validate() error {
	var errs []error
	for name, value := range o.FeatureGates {
		if !slices.Contains(featureGates(), name) {
			errs = append(errs, fmt.Errorf("--feature-gates: unknown gate %q; known are %s", name, strings.Join(featureGates(), ", ")))
		} else if _, err := strconv.ParseBool(value); err != nil {
			errs = append(errs, fmt.Errorf("--feature-gates: %s: %q is neither true nor false", name, value))
		}
	}
	if _, err := labels.Parse(o.WatchSelector); err != nil {
		errs = append(errs, fmt.Errorf("--watch-configs-label-selector: %w", err))
	}
	if !slices.Contains([]string{"json", "console"}, o.LogEncoding) {
		errs = append(errs, fmt.Errorf("--log-encoding: %q is neither json nor console", o.LogEncoding))
	}
	if _, err := parseLevel(o.LogLevel); err != nil {
		errs = append(errs, fmt.Errorf("--log-level: %w", err))
	}
	if o.DefaultServiceAccount != "" && !o.Gate(gateWorkloadIdentity) {
		errs = append(errs, fmt.Errorf("--default-service-account needs --feature-gates=%s=true", gateWorkloadIdentity))
	}
	if _, err := httpx.NewEgress(o.ProviderDenyCIDRs); err != nil {
		errs = append(errs, fmt.Errorf("--provider-deny-cidrs: %w", err))
	}
	if o.TokenCacheMaxSize < 0 || o.TokenCacheMaxDuration <= 0 {
		errs = append(errs, errors.New("--token-cache-max-size must not be negative, and --token-cache-max-duration has to be positive"))
	}
	if len(o.ClusterName) > maxClusterName || strings.ContainsFunc(o.ClusterName, unicode.IsControl) {
		errs = append(errs, fmt.Errorf("--cluster-name has to be one line of at most %d bytes", maxClusterName))
	}
	if o.ClusterNameInCommitStatus && o.ClusterName == "" {
		errs = append(errs, errors.New("--cluster-name-in-commit-status needs --cluster-name"))
	}
	for _, positive := range []struct {
		flag  string
		value int
	}{
		{"concurrent", o.Concurrent}, {"provider-queue-size", o.Queue.PerProvider}, {"queue-size", o.Queue.Total},
		{"queue-memory", o.Queue.TotalBytes}, {"provider-concurrency", o.Queue.Workers},
		{"rate-limit-size", o.RateLimitSize}, {"receiver-delivery-size", o.ReceiverDeliveries},
	} {
		if positive.value < 1 {
			errs = append(errs, fmt.Errorf("--%s has to be at least 1", positive.flag))
		}
	}
	if o.RetryBackoff.Min <= 0 || o.RetryBackoff.Max < o.RetryBackoff.Min {
		errs = append(errs, errors.New("--min-retry-delay has to be positive and at most --max-retry-delay"))
	}
	return errors.Join(errs...)
}

// watchNamespace is the namespace that informers are restricted to; empty for all.
func (o *Options) watchNamespace() string {
	if o.AllNamespaces {
		return ""
	}
	return o.RuntimeNamespace
}
