// Package provider looks after Providers: it says what is wrong with a spec or its Secrets, once for each generation,
// and removes the finalizer of older controllers from those that are being deleted. A Provider has no conditions.
package provider

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	client "github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/typed/notification/v1beta3"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1beta3"
)

// ReasonInvalidConfig is the reason of the Kubernetes Events on Providers.
const ReasonInvalidConfig = "InvalidConfig"

// grace is how long a new Provider may wait for its Secrets before that is worth a Warning: they often come with it.
const grace = 5 * time.Second

var backoff = controller.Backoff{Min: 5 * time.Millisecond, Max: 1000 * time.Second}

// SecretUsers finds the Providers that use a Secret.
type SecretUsers interface {
	BySecret(types.NamespacedName) ([]*v1beta3.Provider, error)
}

// Options are what the controller works with.
type Options struct {
	controller.Settings
	Client   client.ProvidersGetter
	Informer cache.SharedIndexInformer
	Lister   listers.ProviderLister
	Users    SecretUsers
	// Subscribe registers a function to be told of changed Secrets.
	Subscribe func(func(types.NamespacedName)) (cancel func())
	// Check says what an edit of the Provider or its Secrets has to change.
	Check func(*v1beta3.Provider) error
}

// Controller looks after Providers.
type Controller struct {
	options  Options
	warnings *controller.Warnings
	loop     *controller.Loop[cache.ObjectName]
}

// New returns a controller that has not started.
func New(o Options) *Controller {
	c := &Controller{options: o, warnings: controller.NewWarnings()}
	c.loop = controller.NewLoop(controller.Options[cache.ObjectName]{
		Name: "provider", Workers: o.Workers, Backoff: backoff, Sync: c.sync, Observer: o.Observer, Metrics: o.Queues,
	})
	return c
}

// Run works until ctx ends.
func (c *Controller) Run(ctx context.Context) error {
	end, err := controller.Follow(c.options.Informer, controller.SpecOrFinalizersChanged[*v1beta3.Provider], c.loop.Add)
	if err != nil {
		return err
	}
	defer end()
	defer c.options.Subscribe(c.secretChanged)()
	c.loop.Run(ctx)
	return nil
}

func (c *Controller) secretChanged(secret types.NamespacedName) {
	users, err := c.options.Users.BySecret(secret)
	if err != nil {
		return // An index that is missing shows when the first Provider is looked up.
	}
	for _, p := range users {
		c.loop.Add(cache.MetaObjectToName(p))
	}
}

func (c *Controller) sync(ctx context.Context, key cache.ObjectName) (controller.Result, error) {
	p, err := c.options.Lister.Providers(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		c.warnings.Forget(key)
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	if p.DeletionTimestamp != nil {
		return controller.Result{}, controller.RemoveLegacyFinalizer(ctx, p, c.options.Client.Providers(p.Namespace).Patch)
	}
	problem := c.options.Check(p)
	if problem == nil {
		c.warnings.Forget(key)
		return controller.Result{}, nil
	}
	if young := grace - time.Since(p.CreationTimestamp.Time); young > 0 {
		return controller.Result{RequeueAfter: young}, nil
	}
	if c.warnings.First(p, problem.Error()) {
		c.options.Events.Event(p, corev1.EventTypeWarning, ReasonInvalidConfig, controller.EventMessage(problem.Error()))
	}
	return controller.Result{Terminal: true}, nil
}
