package dispatch

import (
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// ProviderGetter gives Providers from a cache.
type ProviderGetter interface {
	Provider(namespace, name string) (*v1beta3.Provider, error)
}

// TypeLookup is the table of Provider types.
type TypeLookup func(name string) (provider.Type, bool)

// Router finds the Provider of an Alert and decides whether it gets an event.
type Router struct {
	Providers ProviderGetter
	Types     TypeLookup
	StatusIDs *StatusIDs
	// Compiled returns what is compiled of an Alert.
	Compiled func(*v1beta3.Alert) CompiledAlert
	// Repeats holds back what an Alert has told already; nil holds nothing back.
	Repeats *Repeats
	// Cluster is put into the metadata of notifications that do not say; empty for none.
	Cluster string
	Record  Recorder
}

// Route returns the Provider that the event goes to and the row of its type. It returns false, and has recorded
// why, if the event goes nowhere.
func (r *Router) Route(e *event.Event, a *v1beta3.Alert) (*v1beta3.Provider, provider.Type, bool) {
	outcome := Outcome{
		EventID:  e.ID,
		Object:   e.InvolvedObject,
		Alert:    alertObject(a),
		Provider: provider.Object{Namespace: a.Namespace, Name: a.Spec.ProviderRef.Name},
	}
	p, err := r.Providers.Provider(a.Namespace, a.Spec.ProviderRef.Name)
	if err != nil {
		reason := provider.ReasonUnclassified
		if apierrors.IsNotFound(err) {
			reason = provider.ReasonConfig
			err = fmt.Errorf("spec.providerRef: there is no Provider '%s/%s'", a.Namespace, a.Spec.ProviderRef.Name)
		}
		r.Record.Outcome(outcome.failed(reason, err))
		return nil, provider.Type{}, false
	}
	outcome.Provider = providerObject(p)
	row, ok := r.Types(p.Spec.Type)
	if ok {
		// Nothing else is to become a metric label.
		outcome.Type = row.Name
	}
	switch {
	case !ok:
		r.Record.Outcome(outcome.failed(provider.ReasonConfig, fmt.Errorf("Provider '%s/%s': spec.type %q is not supported", p.Namespace, p.Name, p.Spec.Type)))
		return nil, row, false
	case p.Spec.Suspend:
		r.Record.Outcome(outcome.skipped(SkippedSuspended))
		return nil, row, false
	}
	if why := skip(row.Family, e); why != "" {
		r.Record.Outcome(outcome.skipped(why))
		return nil, row, false
	}
	return p, row, true
}

// outcome begins that of a notification that is not queued.
func outcome(n *provider.Notification, row provider.Type) Outcome {
	return Outcome{
		EventID: n.Event.ID, Object: n.Event.InvolvedObject, Alert: n.Alert, Provider: n.Provider,
		Type: row.Name, Suppressed: n.Suppressed,
	}
}

// skip says why a family of types does not get an event; empty if it does.
func skip(family provider.Family, e *event.Event) SkipReason {
	switch family {
	case provider.FamilyGeneric:
		return ""
	case provider.FamilyCommitStatus:
		if !e.IsCommitStatusUpdate() && !e.IsError() && !e.HasCommit() {
			return SkippedNoCommit
		}
	case provider.FamilyChangeRequest:
		if e.IsCommitStatusUpdate() {
			return SkippedStatusUpdate
		}
		if !e.HasChangeRequest() {
			return SkippedNoChangeRequest
		}
	case provider.FamilyOther:
		if e.IsCommitStatusUpdate() {
			return SkippedStatusUpdate
		}
	}
	return ""
}

func alertObject(a *v1beta3.Alert) provider.Object {
	return provider.Object{Namespace: a.Namespace, Name: a.Name, UID: string(a.UID)}
}

func providerObject(p *v1beta3.Provider) provider.Object {
	return provider.Object{Namespace: p.Namespace, Name: p.Name, UID: string(p.UID)}
}
