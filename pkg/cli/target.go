package cli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
)

// noAlert is the name of the Alert that stands for none: "(" is not in any real name.
const noAlert = "(no Alert)"

// target is the Provider, and the Alert, that render and send are about.
type target struct{ provider, alert string }

func (t *target) addFlags(c *cobra.Command) {
	c.Flags().StringVar(&t.provider, "provider", "", "name of the Provider")
	c.Flags().StringVar(&t.alert, "alert", "", "name of the Alert that the event goes through")
	// The flag exists.
	_ = c.MarkFlagRequired("provider")
}

// through returns the Alerts that an event goes through on its way to the Provider: the one that is named, or else
// those that select it, or else, as without all, one that adds nothing.
func (t *target) through(o *options, inv *inventory, p *v1beta3.Provider, body []byte, all bool) ([]*v1beta3.Alert, error) {
	if t.alert != "" {
		alert, err := want("Alert", inv.alerts, p.Namespace, t.alert)
		if err == nil && alert.Spec.ProviderRef.Name != p.Name {
			err = fmt.Errorf("Alert '%s/%s': spec.providerRef names %q, not %q", alert.Namespace, alert.Name, alert.Spec.ProviderRef.Name, p.Name)
		}
		return []*v1beta3.Alert{alert}, err
	}
	e, _, err := event.Read(body)
	if err != nil {
		return nil, err
	}
	var found []*v1beta3.Alert
	if all {
		if found, err = o.selecting(inv, p, e); err != nil {
			return nil, err
		}
	}
	if len(found) == 0 {
		// It is no Alert that could be forbidden anything.
		o.noCrossNamespace = false
		found = append(found, plain(p, e))
	}
	return found, nil
}

// selecting returns the Alerts that select an event for a Provider.
func (o *options) selecting(inv *inventory, p *v1beta3.Provider, e *event.Event) ([]*v1beta3.Alert, error) {
	var own, found []*v1beta3.Alert
	for _, a := range inv.alerts {
		if a.Namespace == p.Namespace && a.Spec.ProviderRef.Name == p.Name {
			own = append(own, a)
		}
	}
	f, err := o.newFlow(inv, flowOptions{alerts: own, send: pretend, identity: newMasked})
	if err != nil {
		return nil, err
	}
	for _, judgement := range f.handler.Matcher.Match(e) {
		if judgement.Verdict == dispatch.Matched {
			found = append(found, judgement.Alert)
		}
	}
	return found, nil
}

// plain returns an Alert that selects the event for the Provider and adds nothing to it.
func plain(p *v1beta3.Provider, e *event.Event) *v1beta3.Alert {
	return &v1beta3.Alert{
		ObjectMeta: metav1.ObjectMeta{Namespace: p.Namespace, Name: noAlert},
		Spec: v1beta3.AlertSpec{
			ProviderRef:   v1beta3.LocalObjectReference{Name: p.Name},
			EventSeverity: v1beta3.EventSeverityInfo,
			EventSources: []v1beta3.CrossNamespaceObjectReference{{
				Kind: e.InvolvedObject.Kind, Name: e.InvolvedObject.Name, Namespace: e.InvolvedObject.Namespace,
			}},
		},
	}
}

// only returns the event of the files, or else the given one.
func (in *input) only(other func() document) (document, error) {
	switch {
	case len(in.events) == 1:
		return in.events[0], nil
	case len(in.events) == 0 && other != nil:
		return other(), nil
	default:
		return document{}, errors.New("-f: exactly one event is needed")
	}
}
