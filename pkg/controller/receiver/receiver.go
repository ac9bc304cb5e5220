// Package receiver keeps the status of Receivers: their webhook path, and whether they do their job.
package receiver

import (
	"context"
	"errors"
	"fmt"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/controller"
	client "github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/typed/notification/v1"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/source"
)

const kind = "Receiver"

// reasonFailed is the reason of the Kubernetes Events about passes that will be repeated.
const reasonFailed = "Failed"

// reasonPathTaken is the reason of the Kubernetes Events about Receivers whose calls another one has.
const reasonPathTaken = "PathTaken"

// notTriedWait is how long a Receiver waits whose Secret is about to be read.
const notTriedWait = time.Second

// minWait is the shortest time between two timed passes, whatever spec.interval says: one of a millisecond fits the schema, and
// a few such Receivers would keep all workers busy.
const minWait = 10 * time.Second

// terminalPrefix starts the messages about specs that only an edit can heal.
const terminalPrefix = "Reconciliation failed terminally due to configuration error: "

// Index finds the Receivers that use a Secret, and the one that has the calls to the path of another.
type Index interface {
	BySecret(types.NamespacedName) ([]*v1.Receiver, error)
	Rival(*v1.Receiver) (*v1.Receiver, error)
}

// Problem is what is wrong with a spec: a reason of conditions, and what to change.
type Problem struct{ Reason, Message string }

// ObjectMetrics are the metrics that name the object.
type ObjectMetrics interface {
	ObserveObject(kind, namespace, name string, took time.Duration)
	ForgetObject(kind, namespace, name string)
}

// Options are what the controller works with.
type Options struct {
	controller.Settings
	Client   client.ReceiversGetter
	Informer cache.SharedIndexInformer
	Lister   listers.ReceiverLister
	Index    Index
	Secrets  secret.Getter
	// Subscribe registers a function to be told of changed Secrets.
	Subscribe func(func(types.NamespacedName)) (cancel func())
	// Check says what is wrong with a spec; nil if nothing is.
	Check func(*v1.Receiver) *Problem
	// Types finds a type of Receiver by spec.type, for what its Secret has to hold.
	Types   func(name string) (source.Type, bool)
	Backoff controller.Backoff
	Objects ObjectMetrics
}

// Controller keeps the status of Receivers.
type Controller struct {
	options  Options
	warnings *controller.Warnings
	verdicts *verdicts
	loop     *controller.Loop[cache.ObjectName]
}

// New returns a controller that has not started.
func New(o Options) *Controller {
	c := &Controller{options: o, warnings: controller.NewWarnings(), verdicts: newVerdicts(o.Check)}
	c.options.Check = c.verdicts.on
	c.loop = controller.NewLoop(controller.Options[cache.ObjectName]{
		Name: "receiver", Workers: o.Workers, Backoff: o.Backoff, Sync: c.sync, Observer: o.Observer, Metrics: o.Queues,
	})
	return c
}

// Run works until ctx ends.
func (c *Controller) Run(ctx context.Context) error {
	end, err := controller.Follow(c.options.Informer, changed, c.loop.Add)
	if err != nil {
		return err
	}
	defer end()
	defer c.options.Subscribe(c.secretChanged)()
	c.loop.Run(ctx)
	return nil
}

// changed says whether an update asks for a pass: an edit, or a request to reconcile. Our own writes of the status do
// not.
func changed(before, after *v1.Receiver) bool {
	return controller.SpecOrFinalizersChanged(before, after) ||
		before.Annotations[notification.RequestedAtAnnotation] != after.Annotations[notification.RequestedAtAnnotation]
}

func (c *Controller) secretChanged(name types.NamespacedName) {
	users, err := c.options.Index.BySecret(name)
	if err != nil {
		return // An index that is missing shows when the first webhook is looked up.
	}
	for _, r := range users {
		c.loop.Add(cache.MetaObjectToName(r))
	}
}

func (c *Controller) sync(ctx context.Context, key cache.ObjectName) (controller.Result, error) {
	r, err := c.options.Lister.Receivers(key.Namespace).Get(key.Name)
	if apierrors.IsNotFound(err) {
		c.warnings.Forget(key)
		c.verdicts.forget(key)
		c.options.Objects.ForgetObject(kind, key.Namespace, key.Name)
		return controller.Result{}, nil
	}
	if err != nil {
		return controller.Result{}, err
	}
	if r.DeletionTimestamp != nil {
		return controller.Result{}, controller.RemoveLegacyFinalizer(ctx, r, c.options.Client.Receivers(r.Namespace).Patch)
	}

	start := time.Now()
	next := r.DeepCopy()
	result, err := c.options.Reconcile(next, start)
	if errors.Is(err, secret.ErrNotTried) {
		// Not a failure to tell anybody of: the next pass follows at once, with a change of the Secret. The wait is for when
		// that has been told a moment too early.
		return controller.Result{RequeueAfter: notTriedWait}, nil
	}
	changed := statusChanged(r, next)
	if changed {
		err = errors.Join(err, c.patchStatus(ctx, r, next))
	}
	c.options.Objects.ObserveObject(kind, key.Namespace, key.Name, time.Since(start))
	c.report(ctx, next, changed, result, err)
	if err == nil && isReady(next) {
		c.reportRival(ctx, next)
	}
	return result, err
}

// Reconcile computes the status of r, for which it needs Check, Secrets and Types. An error means that the pass has
// to be repeated.
func (o Options) Reconcile(r *v1.Receiver, now time.Time) (controller.Result, error) {
	if at, ok := r.Annotations[notification.RequestedAtAnnotation]; ok {
		r.Status.LastHandledReconcileAt = at
	}
	if r.Spec.Suspend {
		o.whileSuspended(r, now)
		return controller.Result{}, nil
	}
	if problem := o.Check(r); problem != nil {
		markStalled(r, problem.Reason, terminalPrefix+problem.Message, now)
		return controller.Result{Terminal: true}, nil
	}
	token, previous, err := o.tokens(r)
	unread := errors.Is(err, secret.ErrNotLoaded)
	if errors.Is(err, secret.ErrNotTried) || unread && isReady(r) && r.Status.ObservedGeneration == r.Generation {
		return controller.Result{}, err // The Secret may well be as it was.
	}
	if err != nil {
		markRetrying(r, notification.ReasonTokenNotFound, err.Error(), now)
		if !unread {
			// Else the path stays until it is known not to be that of the Secret.
			setPaths(r, "", "")
		}
		return controller.Result{}, err
	}
	initialize(r, token, previous, now)
	return controller.Result{RequeueAfter: wait(r)}, nil
}

// wait is how long it takes to the next timed pass; 0 means that there is none.
func wait(r *v1.Receiver) time.Duration {
	interval := r.ReconcileInterval()
	if interval <= 0 {
		return 0
	}
	return max(interval, minWait)
}

// whileSuspended keeps what callers and those who wait for the Receiver need: nobody is to be told that a hook does not
// exist because its token was rotated meanwhile.
func (o Options) whileSuspended(r *v1.Receiver, now time.Time) {
	if !isReady(r) {
		return
	}
	r.Status.ObservedGeneration = r.Generation
	if o.Check(r) != nil {
		return
	}
	if token, previous, err := o.tokens(r); err == nil {
		initialize(r, token, previous, now)
	}
}

// initialize says that the Receiver is ready under the path of its token and, during a rotation, that of the one before.
func initialize(r *v1.Receiver, token, previous string, now time.Time) {
	old := ""
	if previous != "" && previous != token {
		old = r.WebhookPathFor(previous)
	}
	setPaths(r, r.WebhookPathFor(token), old)
	markReady(r, "Receiver initialized for path: "+r.Status.WebhookPath, now)
}

func setPaths(r *v1.Receiver, path, previous string) {
	r.Status.WebhookPath, r.Status.PreviousWebhookPath = path, previous
	if r.Status.URL != "" && path != "" {
		// Somebody may read it by the older API. Once it is empty, nothing would tell that.
		r.Status.URL = path
	}
}

// tokens are the Receiver's token and, during a rotation, the one before it, byte for byte. Receivers that authenticate
// by OIDC have none.
func (o Options) tokens(r *v1.Receiver) (token, previous string, err error) {
	if r.Spec.Type == v1.GenericOIDCReceiver {
		return "", "", nil
	}
	s, err := o.Secrets.Get(r.Namespace, r.Spec.SecretRef.Name)
	if err != nil {
		return "", "", fmt.Errorf("spec.secretRef: could not read the token: %w", err)
	}
	row, _ := o.Types(r.Spec.Type)
	for _, key := range append([]string{secret.KeyToken}, row.RequiredKeys...) {
		if len(s.Data[key]) == 0 {
			return "", "", fmt.Errorf("spec.secretRef: %w", &secret.MissingKeyError{Namespace: r.Namespace, Name: r.Spec.SecretRef.Name, Key: key})
		}
	}
	if row.CheckSecret != nil {
		if err := row.CheckSecret(s.Data); err != nil {
			return "", "", fmt.Errorf("spec.secretRef: Secret '%s/%s': %w", r.Namespace, r.Spec.SecretRef.Name, err)
		}
	}
	return string(s.Data[secret.KeyToken]), string(s.Data[secret.KeyPreviousToken]), nil
}

// report says how the pass went in a Kubernetes Event. One that succeeds as the one before it did is not worth an Event:
// with thousands of Receivers, those of a start would crowd the Warnings out.
func (c *Controller) report(ctx context.Context, r *v1.Receiver, changed bool, result controller.Result, err error) {
	stalled := meta.FindStatusCondition(r.Status.Conditions, notification.ConditionStalled)
	switch {
	case apierrors.IsConflict(err):
		// Somebody else wrote meanwhile: the next pass looks at that.
	case err != nil:
		c.options.Events.Event(r, corev1.EventTypeWarning, reasonFailed, controller.EventMessage(err.Error()))
	case r.Spec.Suspend:
	case stalled != nil:
		if c.warnings.First(r, stalled.Message) {
			c.options.Events.Event(r, corev1.EventTypeWarning, stalled.Reason, controller.EventMessage(stalled.Message))
		}
	case !changed:
		klog.FromContext(ctx).V(2).Info("Nothing has changed", "receiver", klog.KObj(r))
	default:
		c.warnings.Forget(cache.MetaObjectToName(r))
		text := "Reconciliation finished"
		if result.RequeueAfter > 0 {
			text += ", next run in " + result.RequeueAfter.String()
		}
		klog.FromContext(ctx).V(2).Info(text, "receiver", klog.KObj(r))
		c.options.Events.Event(r, corev1.EventTypeNormal, notification.ReasonSucceeded, text)
	}
}

// reportRival says in a Kubernetes Event if another Receiver has the calls to the path. Which one is not for everybody to
// know who may read the Event.
func (c *Controller) reportRival(ctx context.Context, r *v1.Receiver) {
	rival, err := c.options.Index.Rival(r)
	if err != nil || rival == nil {
		return // An index that is missing shows when the first webhook is looked up.
	}
	const text = "Another Receiver has the same path and gets its calls: it is older, or has no token. Change the token of this one."
	if c.warnings.First(r, text) {
		klog.FromContext(ctx).Info("Two Receivers have the same path", "receiver", klog.KObj(r), "calls", klog.KObj(rival))
		c.options.Events.Event(r, corev1.EventTypeWarning, reasonPathTaken, text)
	}
}
