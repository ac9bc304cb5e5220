package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

func newRender(s Streams) *cobra.Command {
	o := &options{Streams: s}
	var t target
	c := &cobra.Command{
		Use:   "render -f EVENT [-f OBJECTS]... --provider NAME",
		Short: "Show the requests that a Provider would send for an event",
		Long: `Shows the requests that a Provider would send for an event, with all secrets masked. Nothing is sent.

Without --alert the event goes through each Alert that selects it for this Provider; if there is none, it is shown as
without any.`,
		Example: `  notification-controller render -f event.json --provider slack
  notification-controller render -f event.json -f providers/ --provider slack -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.render(c.Context(), t) },
	}
	o.addFlags(c)
	o.addServerFlags(c)
	t.addFlags(c)
	return c
}

func (o *options) render(ctx context.Context, t target) error {
	in, inv, err := o.read(ctx, alerts, providers)
	if err != nil {
		return err
	}
	p, err := want("Provider", inv.providers, inv.namespace, t.provider)
	if err != nil {
		return err
	}
	e, err := in.only(nil)
	if err != nil {
		return err
	}
	through, err := t.through(o, inv, p, e.content, true)
	if err != nil {
		return err
	}
	egress, err := nowhere()
	if err != nil {
		return err
	}
	log := newJournal()
	send := func(row provider.Type, config provider.Config) (provider.Sender, error) {
		_, err := row.New(config)
		return dry{row, config, log}, err
	}
	f, err := o.newFlow(inv, flowOptions{alerts: through, send: send, egress: egress, identity: newMasked})
	if err != nil {
		return err
	}
	return o.deliver(ctx, []document{e}, f, &reporter{inventory: inv, options: o, alerts: through, journal: log})
}
