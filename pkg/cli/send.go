package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/identity"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

func newSend(s Streams) *cobra.Command {
	o := &options{Streams: s}
	var t target
	c := &cobra.Command{
		Use:   "send [-f EVENT] [-f OBJECTS]... --provider NAME",
		Short: "Deliver a test event through a Provider, and show the answer",
		Long: `Delivers an event through a Provider, really and once, from where it runs, and shows the answer. Without an event in
the files it makes one up, of severity info. Without --alert no Alert has a say.`,
		Example: `  notification-controller send --provider slack -n apps
  notification-controller send -f event.json -f providers/ --provider slack`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.send(c.Context(), t) },
	}
	o.addFlags(c)
	o.addServerFlags(c)
	t.addFlags(c)
	return c
}

func (o *options) send(ctx context.Context, t target) error {
	kinds := []kind{providers}
	if t.alert != "" {
		kinds = append(kinds, alerts)
	}
	in, inv, err := o.read(ctx, kinds...)
	if err != nil {
		return err
	}
	p, err := want("Provider", inv.providers, inv.namespace, t.provider)
	if err != nil {
		return err
	}
	e, err := in.only(func() document { return testEvent(p) })
	if err != nil {
		return err
	}
	through, err := t.through(o, inv, p, e.content, false)
	if err != nil {
		return err
	}
	egress, err := o.egress()
	if err != nil {
		return err
	}
	log := newJournal()
	send := func(row provider.Type, config provider.Config) (provider.Sender, error) {
		_, err := row.New(config)
		return real{row, config, log}, err
	}
	f, err := o.newFlow(inv, flowOptions{alerts: through, send: send, egress: egress, identity: o.identities(inv, egress)})
	if err != nil {
		return err
	}
	return o.deliver(ctx, []document{e}, f, &reporter{inventory: inv, options: o, alerts: through, journal: log, sent: true})
}

// testEvent is what is sent if no file has an event.
func testEvent(p *v1beta3.Provider) document {
	// Texts and a time encode.
	content, _ := json.Marshal(event.Event{
		InvolvedObject: event.ObjectReference{
			APIVersion: "kustomize.toolkit.fluxcd.io/v1", Kind: "Kustomization", Namespace: p.Namespace, Name: "test",
		},
		Severity:            event.SeverityInfo,
		Timestamp:           event.Timestamp{Time: time.Now()},
		Reason:              "Test",
		Message:             fmt.Sprintf("This is a test of Provider '%s/%s'.", p.Namespace, p.Name),
		ReportingController: "notification-controller",
	})
	return document{"the test event", content}
}

// identities gives Providers the identity that they have in the cluster; without a cluster that of this machine.
func (o *options) identities(inv *inventory, egress *httpx.Egress) func(*v1beta3.Provider, *url.URL) provider.Identity {
	broker := identity.New(identity.Options{Accounts: inv.accounts, DefaultAccount: o.defaultAccount})
	return func(p *v1beta3.Provider, proxy *url.URL) provider.Identity {
		switch {
		case inv.accounts != nil:
		case p.Spec.ServiceAccountName != "":
			return nobody{field: "spec.serviceAccountName"}
		case o.defaultAccount != "":
			return nobody{field: "--default-service-account"}
		}
		client := httpx.Options{Proxy: proxy}
		if proxy != nil {
			// A tenant chooses it, but not the addresses of clouds.
			client.Egress = egress
		}
		object := provider.Object{Namespace: p.Namespace, Name: p.Name, UID: string(p.UID)}
		return broker.For(object, p.Spec.ServiceAccountName, httpx.NewClient(client), fmt.Sprint(proxy))
	}
}

// nobody is the identity of a ServiceAccount without a cluster.
type nobody struct {
	masked
	// field is what names the ServiceAccount.
	field string
}

func (n nobody) err() error {
	return provider.Permanentf(provider.ReasonConfig, "%s: without a cluster nobody can act as a ServiceAccount", n.field)
}

// Azure implements [provider.Identity].
func (n nobody) Azure(context.Context, string) (string, error) { return "", n.err() }

// Google implements [provider.Identity].
func (n nobody) Google(context.Context) (string, error) { return "", n.err() }

// Cached implements [provider.Identity].
func (n nobody) Cached(context.Context, string, func(context.Context) (provider.Token, error)) (provider.Token, error) {
	return provider.Token{}, n.err()
}
