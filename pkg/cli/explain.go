package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/spf13/cobra"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
)

func newExplain(s Streams) *cobra.Command {
	o := &options{Streams: s}
	var alert string
	c := &cobra.Command{
		Use:   "explain -f EVENT [-f OBJECTS]...",
		Short: "Say for each Alert why it refuses an event, or which Provider the event goes to",
		Long: `Says for each Alert the first rule that refuses an event, or the Provider that the event goes to. Nothing is sent.

Several events are taken one right after the other, so that a repetition is told.`,
		Example: `  notification-controller explain -f event.json
  notification-controller explain -f event.json -f alerts/ --alert on-call -o json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error { return o.explain(c.Context(), alert) },
	}
	o.addFlags(c)
	o.addServerFlags(c)
	c.Flags().StringVar(&alert, "alert", "", "name of the only Alerts to ask")
	return c
}

func (o *options) explain(ctx context.Context, alert string) error {
	in, inv, err := o.read(ctx, alerts, providers)
	if err != nil {
		return err
	}
	asked := inv.alerts
	if alert != "" {
		asked = slices.DeleteFunc(slices.Clone(asked), func(a *v1beta3.Alert) bool { return a.Name != alert })
		if len(asked) == 0 {
			return fmt.Errorf("--alert: there is no Alert %q", alert)
		}
	}
	f, err := o.newFlow(inv, flowOptions{alerts: asked, send: pretend, identity: newMasked})
	if err != nil {
		return err
	}
	return o.deliver(ctx, in.events, f, &reporter{inventory: inv, options: o, alerts: asked})
}

// deliver takes all events through a flow, one after the other, and answers with what became of them.
func (o *options) deliver(ctx context.Context, events []document, f *flow, r *reporter) error {
	if len(events) == 0 {
		return errors.New(`-f: no file has an event, which is a JSON document with the field "involvedObject"`)
	}
	r.check = f.handler.Matcher.Check
	all := deliveries{Delivered: true}
	for _, e := range events {
		seen, err := f.run(ctx, e.content)
		if err != nil {
			return fmt.Errorf("%s: %w", e.file, err)
		}
		report, err := r.event(e.content, seen)
		if err != nil {
			return fmt.Errorf("%s: %w", e.file, err)
		}
		all.Delivered = all.Delivered && report.Delivered
		all.Events = append(all.Events, report)
	}
	return o.answer(all.Delivered, all, all.print)
}
