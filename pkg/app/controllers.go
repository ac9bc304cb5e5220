package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	alertcontroller "github.com/notification-controller/notification-controller/pkg/controller/alert"
	providercontroller "github.com/notification-controller/notification-controller/pkg/controller/provider"
	receivercontroller "github.com/notification-controller/notification-controller/pkg/controller/receiver"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/provider"
	sourceregistry "github.com/notification-controller/notification-controller/pkg/source/registry"
)

// controllers makes the controllers for one term.
func (a *App) controllers() map[string]func(context.Context) error {
	alerts := alertcontroller.New(alertcontroller.Options{
		Client:   a.clients.notification.NotificationV1beta3(),
		Informer: a.informers.alerts,
		Lister:   a.informers.alertLister,
		Events:   a.events,
		Check:    a.checkAlert,
		Workers:  a.options.Concurrent,
		Observer: a.metrics,
		Queues:   a.queues,
	})
	providers := providercontroller.New(providercontroller.Options{
		Client:    a.clients.notification.NotificationV1beta3(),
		Informer:  a.informers.providers,
		Lister:    a.informers.providerLister,
		Users:     a.informers.providerIndex,
		Subscribe: a.secrets.Subscribe,
		Events:    a.events,
		Check:     a.checkProvider,
		Workers:   a.options.Concurrent,
		Observer:  a.metrics,
		Queues:    a.queues,
	})
	sources := sourceregistry.New()
	validation := receivercontroller.Validation{
		Supported: func(name string) bool {
			_, ok := sources.Lookup(name)
			return ok
		},
		CompileFilter: func(field, expression string, withClaims bool) error {
			_, err := expr.CompileFilter(field, expression, withClaims)
			return err
		},
	}
	receivers := receivercontroller.New(receivercontroller.Options{
		Client:    a.clients.notification.NotificationV1(),
		Informer:  a.informers.receivers,
		Lister:    a.informers.receiverLister,
		Users:     a.informers.receiverIndex,
		Secrets:   a.secrets,
		Subscribe: a.secrets.Subscribe,
		Events:    a.events,
		Check:     validation.Check,
		Workers:   a.options.Concurrent,
		Backoff:   a.options.RetryBackoff,
		Observer:  a.metrics,
		Objects:   a.metrics,
		Queues:    a.queues,
	})
	return map[string]func(context.Context) error{
		"alert":    alerts.Run,
		"provider": providers.Run,
		"receiver": receivers.Run,
	}
}

// checkAlert says what an edit of an Alert has to change.
func (a *App) checkAlert(alert *v1beta3.Alert) error {
	_, err := dispatch.CompileAlert(alert)
	errs := []error{err}
	for i, source := range alert.Spec.EventSources {
		if namespace := cmp.Or(source.Namespace, alert.Namespace); a.options.NoCrossNamespace && namespace != alert.Namespace {
			errs = append(errs, fmt.Errorf("spec.eventSources[%d].namespace: %q is not the Alert's own, and cross-namespace references have been blocked (--no-cross-namespace-refs)", i, namespace))
		}
	}
	return errors.Join(errs...)
}

// checkProvider says what an edit of a Provider or its Secrets has to change.
func (a *App) checkProvider(p *v1beta3.Provider) error {
	_, err := a.resolver.ResolveProvider(p)
	if err == nil || provider.Classify(err).Kind == provider.Transient {
		return nil // What may heal by itself is not worth a Warning here: deliveries report it if it lasts.
	}
	return err
}
