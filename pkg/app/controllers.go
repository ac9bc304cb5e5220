package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	alertcontroller "github.com/notification-controller/notification-controller/pkg/controller/alert"
	providercontroller "github.com/notification-controller/notification-controller/pkg/controller/provider"
	receivercontroller "github.com/notification-controller/notification-controller/pkg/controller/receiver"
	"github.com/notification-controller/notification-controller/pkg/provider"
	sourceregistry "github.com/notification-controller/notification-controller/pkg/source/registry"
)

// controllers makes the controllers for one term.
func (a *App) controllers() map[string]func(context.Context) error {
	settings := controller.Settings{Workers: a.options.Concurrent, Events: a.events, Observer: a.metrics, Queues: a.queues}
	alerts := alertcontroller.New(alertcontroller.Options{
		Settings: settings,
		Client:   a.clients.notification.NotificationV1beta3(),
		Informer: a.informers.alerts,
		Lister:   a.informers.alertLister,
		Check:    a.checkAlert,
	})
	providers := providercontroller.New(providercontroller.Options{
		Settings:  settings,
		Client:    a.clients.notification.NotificationV1beta3(),
		Informer:  a.informers.providers,
		Lister:    a.informers.providerLister,
		Users:     a.informers.providerIndex,
		Subscribe: a.secrets.Subscribe,
		Check:     a.checkProvider,
	})
	sources := sourceregistry.New().Lookup
	receivers := receivercontroller.New(receivercontroller.Options{
		Settings:  settings,
		Client:    a.clients.notification.NotificationV1(),
		Informer:  a.informers.receivers,
		Lister:    a.informers.receiverLister,
		Index:     a.informers.receiverIndex,
		Secrets:   a.secrets,
		Subscribe: a.secrets.Subscribe,
		Check:     receivercontroller.NewValidation(sources).Check,
		Types:     sources,
		Backoff:   a.options.RetryBackoff,
		Objects:   a.metrics,
	})
	return map[string]func(context.Context) error{
		"alert":    alerts.Run,
		"provider": providers.Run,
		"receiver": receivers.Run,
	}
}

// checkAlert says what an edit of an Alert has to change.
func (a *App) checkAlert(alert *v1beta3.Alert) error {
	errs := []error{a.dispatch.Matcher.Check(alert)}
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
	if err == nil {
		err = a.dispatch.Router.StatusIDs.Check(p)
	}
	if err == nil || provider.Classify(err).Kind == provider.Transient {
		return nil // What may heal by itself is not worth a Warning here: deliveries report it if it lasts.
	}
	return err
}
