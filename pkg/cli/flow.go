package cli

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/objects"
	"github.com/notification-controller/notification-controller/pkg/provider"
	providerregistry "github.com/notification-controller/notification-controller/pkg/provider/registry"
	"github.com/notification-controller/notification-controller/pkg/ratelimit"
)

// maxEvents is how many events are remembered to tell repetitions: more than anyone gives.
const maxEvents = 100_000

// flow is the server's outbound flow over the objects of an inventory: the same handler, with senders that a subcommand
// has changed.
type flow struct {
	handler  *dispatch.Handler
	resolver *dispatch.Resolver
	seen     *recorder
	// record is seen, and what else the flow is told by.
	record dispatch.Recorder
}

// flowOptions are where subcommands differ.
type flowOptions struct {
	// alerts are those that are asked.
	alerts []*v1beta3.Alert
	// send changes what a type of Provider does with a notification.
	send sending
	// egress says what must not be connected to.
	egress *httpx.Egress
	// identity is that of Providers.
	identity func(*v1beta3.Provider, *url.URL) provider.Identity
}

// sending returns what a type sends with in place of its own sender. It is given the type's row and configuration.
type sending func(provider.Type, provider.Config) (provider.Sender, error)

func (o *options) newFlow(inv *inventory, f flowOptions) (*flow, error) {
	index, err := alertIndex(f.alerts)
	if err != nil {
		return nil, err
	}
	types := func(name string) (provider.Type, bool) {
		row, ok := providerregistry.New().Lookup(name)
		own := row
		row.New = func(config provider.Config) (provider.Sender, error) { return f.send(own, config) }
		return row, ok
	}
	seen := &recorder{}
	repeats := dispatch.NewRepeats(maxEvents, time.Now)
	record := dispatch.Recorders{seen, repeats}
	labels := func(ref event.ObjectReference) (map[string]string, error) { return objects.Labels(inv.objects, ref) }
	return &flow{
		seen: seen, record: record,
		resolver: dispatch.NewResolver(inv, inv.secrets, types, dispatch.ResolverOptions{
			AllowServiceAccounts: o.gate(gateWorkloadIdentity), Identity: f.identity, Egress: f.egress,
		}),
		handler: dispatch.NewHandler(dispatch.Options{
			Ready:                func() bool { return true },
			Windows:              ratelimit.NewWindows(o.window, maxEvents),
			Alerts:               index,
			Labels:               labels,
			Providers:            inv,
			Types:                types,
			Repeats:              repeats,
			Record:               record,
			NoCrossNamespaceRefs: o.noCrossNamespace,
			Cluster:              o.cluster,
			ClusterInStatus:      o.clusterInStatus,
		}),
	}, nil
}

// run takes an event through the flow and waits for its notifications.
func (f *flow) run(ctx context.Context, body []byte) (*recorder, error) {
	f.seen.reset()
	// A queue that has been drained takes nothing more.
	f.handler.Queue = dispatch.NewQueue(dispatch.DefaultQueueOptions(), f.resolve, f.record)
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, "/", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	f.handler.ServeHTTP(unread{http.Header{}}, request)
	f.handler.Queue.Drain(ctx)
	return f.seen, errors.Join(f.seen.verdict.Err, ctx.Err())
}

// resolve is that of the server, but for failures that the server would try again after: once has to do here.
func (f *flow) resolve(object provider.Object) (*dispatch.Target, error) {
	target, err := f.resolver.Resolve(object)
	if err != nil {
		return nil, final(err)
	}
	return &dispatch.Target{Sender: once{target.Sender}, Timeout: target.Timeout}, nil
}

type once struct{ provider.Sender }

// Send implements [provider.Sender].
func (o once) Send(ctx context.Context, n *provider.Notification) error {
	return final(o.Sender.Send(ctx, n))
}

// final returns an error after which nothing is tried again.
func final(err error) error {
	if err == nil {
		return nil
	}
	classified := *provider.Classify(err)
	switch classified.Kind {
	case provider.Superseded:
	case provider.Throttled:
		classified.Err = fmt.Errorf("%w (asks to wait %s)", classified.Err, classified.RetryAfter)
		classified.Kind = provider.Permanent
	default:
		classified.Kind = provider.Permanent
	}
	return &classified
}

// unread is where the answer to a post goes.
type unread struct{ header http.Header }

func (u unread) Header() http.Header         { return u.header }
func (u unread) Write(p []byte) (int, error) { return len(p), nil }
func (u unread) WriteHeader(int)             {}

// pretend builds the sender of a type, which says what is wrong with the Provider, and sends nothing with it.
func pretend(row provider.Type, config provider.Config) (provider.Sender, error) {
	if _, err := row.New(config); err != nil {
		return nil, err
	}
	return nothing{}, nil
}

type nothing struct{}

// Send implements [provider.Sender].
func (nothing) Send(context.Context, *provider.Notification) error { return nil }
