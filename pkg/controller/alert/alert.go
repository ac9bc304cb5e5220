// Package alert looks after Alerts: it says what is wrong with a spec, once for each generation, and removes the
// finalizer that older controllers left. An Alert has no conditions.
package alert

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/client-go/tools/cache"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	client "github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/typed/notification/v1beta3"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1beta3"
)

// Reasons of the Kubernetes Events on Alerts.
const (
	ReasonMigration     = "Migration"
	ReasonInvalidConfig = "InvalidConfig"
)

var backoff = controller.Backoff{Min: 5 * time.Millisecond, Max: 1000 * time.Second}

// Options are what the controller works with.
type Options struct {
	controller.Settings
	Client   client.AlertsGetter
	Informer cache.SharedIndexInformer
	Lister   listers.AlertLister
	// Check says what is wrong with a spec.
	Check func(*v1beta3.Alert) error
}

// Controller looks after Alerts.
type Controller struct {
	options  Options
	warnings *controller.Warnings
	loop     *controller.Loop[cache.ObjectName]
}

// New returns a controller that has not started.
func New(o Options) *Controller {
	c := &Controller{options: o, warnings: controller.NewWarnings()}
	c.loop = controller.NewLoop(controller.Options[cache.ObjectName]{
		Name: "alert", Workers: o.Workers, Backoff: backoff, Sync: c.sync, Observer: o.Observer, Metrics: o.Queues,
	})
	return c
}

// Run works until ctx ends.
func (c *Controller) Run(ctx context.Context) error {
	end, err := controller.Follow(c.options.Informer, controller.SpecOrFinalizersChanged[*v1beta3.Alert], c.loop.Add)
	if err != nil {
		return err
	}
	defer end()
	c.loop.Run(ctx)
	return nil
}

func (c *Controller) sync(ctx context.Context, key cache.ObjectName) (controller.Result, error) {
	alert, err := c.options.Lister.Alerts(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		c.warnings.Forget(key)
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	// A suspended Alert is left alone, unless the finalizer keeps it from being deleted.
	if controller.HasLegacyFinalizer(alert) && (!alert.Spec.Suspend || alert.DeletionTimestamp != nil) {
		if err := c.removeFinalizer(ctx, alert); err != nil || alert.DeletionTimestamp != nil {
			return controller.Result{}, err
		}
	}
	problem := c.options.Check(alert)
	if problem == nil {
		c.warnings.Forget(key)
		return controller.Result{}, nil
	}
	if c.warnings.First(alert, problem.Error()) {
		c.options.Events.Event(alert, corev1.EventTypeWarning, ReasonInvalidConfig, controller.EventMessage(problem.Error()))
	}
	return controller.Result{Terminal: true}, nil
}

func (c *Controller) removeFinalizer(ctx context.Context, alert *v1beta3.Alert) error {
	if err := controller.RemoveLegacyFinalizer(ctx, alert, c.options.Client.Alerts(alert.Namespace).Patch); err != nil {
		return err
	}
	if alert.DeletionTimestamp == nil {
		c.options.Events.Event(alert, corev1.EventTypeNormal, ReasonMigration, "removed the finalizer of an older controller: Alerts are static objects now")
	}
	return nil
}
