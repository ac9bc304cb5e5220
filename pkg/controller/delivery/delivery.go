// Package delivery keeps the status of Alerts and Providers: how their last notification ended. Every replica writes what it
// delivered itself, so there are several writers: the newer time wins.
package delivery

import (
	"context"
	"strings"
	"sync"
	"time"

	"golang.org/x/time/rate"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/controller"
	"github.com/notification-controller/notification-controller/pkg/event"
	client "github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/typed/notification/v1beta3"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

const (
	workers = 2
	// interval is the least time between two writes to an object, and how long one is remembered that has no news.
	interval = time.Minute
	// conflictWait is how long the cache may take to show what somebody else has written.
	conflictWait = time.Second
	// refusalWait is how long an object, or a kind, is left alone whose status cannot be written.
	refusalWait = time.Hour
	// writesPerSecond bounds what all objects together cost the API server.
	writesPerSecond = 20
	// maxSubjects is how many objects are remembered, about 500 bytes each, and 2 KiB at most. What more there are come later.
	maxSubjects = 20_000
	// flushLimit is how long the last outcomes may take to be written at shutdown.
	flushLimit = time.Second
)

// Outcome is how a notification ended.
type Outcome struct {
	// Time at which it ended.
	Time time.Time
	// Result and Reason are as in the status.
	Result, Reason string
	// Error is without secrets. It is put on one line and shortened.
	Error string
	// Object that the event was about. Its names are shortened.
	Object event.ObjectReference
	Alert  provider.Object
	// Provider is without UID if it does not exist. Then its name is shortened.
	Provider provider.Object
}

// Options are what the controller works with.
type Options struct {
	controller.Settings
	Client    client.NotificationV1beta3Interface
	Alerts    listers.AlertLister
	Providers listers.ProviderLister
}

// Controller writes the last outcome of each Alert and Provider to its status: at once if it has not done so within the
// last minute, and else when that is over.
type Controller struct {
	kinds   map[string]kind
	loop    *controller.Loop[subject]
	limiter *rate.Limiter

	mu      sync.Mutex
	entries map[subject]*entry
	// refused says until when a kind is left alone.
	refused map[string]time.Time
	// forbidden is the object of a kind that was forbidden last, until another one is written.
	forbidden map[string]provider.Object
}

// subject is an object with a status.
type subject struct {
	kind   string
	object provider.Object
}

// entry is what is known of a subject. From when it is made until it is forgotten, its key is in the queue.
type entry struct {
	latest Outcome
	// pending says that latest is not written.
	pending bool
	// next is the earliest time of the next write.
	next time.Time
}

// New returns a controller that takes outcomes at once and writes them once it runs.
func New(o Options) *Controller {
	c := &Controller{
		kinds:     map[string]kind{alertKind: alerts(o), providerKind: providers(o)},
		limiter:   rate.NewLimiter(writesPerSecond, writesPerSecond),
		entries:   map[subject]*entry{},
		refused:   map[string]time.Time{},
		forbidden: map[string]provider.Object{},
	}
	c.loop = controller.NewLoop(controller.Options[subject]{
		Name: "delivery", Workers: workers, Backoff: controller.Backoff{Min: interval, Max: interval}, // For panics only.
		Sync: c.sync, Observer: o.Observer, Metrics: o.Queues,
	})
	return c
}

// Record takes an outcome. It waits for nothing.
func (c *Controller) Record(o Outcome) {
	o.Error = controller.Cut(strings.Join(strings.Fields(o.Error), " "), maxError)
	o.Provider.Name = controller.Cut(o.Provider.Name, maxName)
	o.Object = event.ObjectReference{
		Kind:      controller.Cut(o.Object.Kind, maxName),
		Namespace: controller.Cut(o.Object.Namespace, maxName),
		Name:      controller.Cut(o.Object.Name, maxName),
	}
	c.put(subject{alertKind, o.Alert}, &o)
	if o.Provider.UID != "" {
		c.put(subject{providerKind, o.Provider}, &o)
	}
}

func (c *Controller) put(s subject, o *Outcome) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[s]
	if e == nil {
		if len(c.entries) >= maxSubjects || o.Time.Before(c.refused[s.kind]) {
			return
		}
		e = &entry{}
		c.entries[s] = e
		c.loop.Add(s)
	}
	e.latest, e.pending = *o, true
}

// Run writes until ctx ends, and then for a moment what is left.
func (c *Controller) Run(ctx context.Context) {
	c.loop.Run(ctx)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), flushLimit)
	defer cancel()
	for _, s := range c.subjects() {
		if ctx.Err() != nil {
			return
		}
		_, _ = c.sync(ctx, s) // It returns no errors.
	}
}

func (c *Controller) subjects() []subject {
	c.mu.Lock()
	defer c.mu.Unlock()
	all := make([]subject, 0, len(c.entries))
	for s := range c.entries {
		all = append(all, s)
	}
	return all
}

func (c *Controller) sync(ctx context.Context, s subject) (controller.Result, error) {
	o, wait := c.take(s, time.Now())
	if o == nil {
		return controller.Result{RequeueAfter: wait}, nil
	}
	if c.limiter.Wait(ctx) != nil {
		return controller.Result{RequeueAfter: c.again(s, conflictWait)}, nil // The pass, or the process, ends.
	}
	verdict, err := c.kinds[s.kind].write(ctx, s.object, *o)
	log := klog.FromContext(ctx).WithValues("kind", s.kind, "object", s.object.String())
	switch c.judge(s, verdict) {
	case written, outdated:
		return controller.Result{RequeueAfter: interval}, nil
	case gone:
		c.forget(s)
		return controller.Result{}, nil
	case conflict:
		return controller.Result{RequeueAfter: c.again(s, conflictWait)}, nil
	case rejected:
		log.Info("The status of this object cannot be written, so that it does not tell of the last delivery; will try again in an hour", "reason", controller.Cut(err.Error(), controller.MaxLogged))
		return controller.Result{RequeueAfter: c.again(s, refusalWait)}, nil
	case refused:
		if c.refuse(s.kind) {
			log.Info("The status of this kind cannot be written, so that it does not tell of the last delivery; "+
				"the CustomResourceDefinition and the role of this controller have to be those of its release", "reason", controller.Cut(err.Error(), controller.MaxLogged))
		}
		c.forget(s)
		return controller.Result{}, nil
	default:
		log.V(2).Info("Could not write the status; will try again", "err", controller.Cut(err.Error(), controller.MaxLogged))
		return controller.Result{RequeueAfter: c.again(s, interval)}, nil
	}
}

// take returns the outcome that is to be written now, or else when to look again; 0 means that there is nothing to look for.
func (c *Controller) take(s subject, now time.Time) (*Outcome, time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	e := c.entries[s]
	switch {
	case e == nil:
		return nil, 0
	case now.Before(c.refused[s.kind]), !e.pending && !now.Before(e.next):
		delete(c.entries, s)
		return nil, 0
	case now.Before(e.next):
		return nil, e.next.Sub(now)
	}
	e.pending = false
	e.next = now.Add(interval)
	latest := e.latest
	return &latest, 0
}

// again has an outcome that was not written tried again, if there is no later one meanwhile, and returns when.
func (c *Controller) again(s subject, wait time.Duration) time.Duration {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e := c.entries[s]; e != nil {
		e.pending = true
		e.next = time.Now().Add(wait)
	}
	return wait
}

func (c *Controller) forget(s subject) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, s)
}

// judge decides what it means that an object is forbidden: the right may be missing, or a policy be about this object.
// It is about all objects of the kind if it comes for two in a row.
func (c *Controller) judge(s subject, v verdict) verdict {
	c.mu.Lock()
	defer c.mu.Unlock()
	switch v {
	case written:
		delete(c.forbidden, s.kind)
	case forbidden:
		before, ok := c.forbidden[s.kind]
		c.forbidden[s.kind] = s.object
		if ok && before != s.object {
			return refused
		}
		return rejected
	}
	return v
}

// refuse leaves a kind alone for some time, and says whether that is news.
func (c *Controller) refuse(kind string) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	_, known := c.refused[kind]
	c.refused[kind] = time.Now().Add(refusalWait)
	return !known
}
