package hook

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/tools/record"
	"k8s.io/client-go/util/workqueue"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/controller"
)

const (
	annotateWorkers = 8
	patchLimit      = 10 * time.Second
	minBackoff      = 500 * time.Millisecond
	maxBackoff      = 15 * time.Second
)

// Target is an object to annotate.
type Target struct {
	Kind      string
	Resource  schema.GroupVersionResource
	Namespace string
	Name      string
}

func (t Target) String() string { return fmt.Sprintf("%s %s/%s", t.Kind, t.Namespace, t.Name) }

// Annotator writes requests to reconcile to objects. Several for one object that come before it is written become one,
// that of the latest; each is tried until it is written or the object is gone. So what it keeps in memory is bounded
// by the objects that exist.
type Annotator struct {
	options AnnotatorOptions
	loop    *controller.Loop[Target]

	mu      sync.Mutex
	pending map[Target]request
}

// AnnotatorOptions configure an [Annotator]. All but Metrics have to be set.
type AnnotatorOptions struct {
	Client metadata.Interface
	// Events takes the Warnings on Receivers.
	Events   record.EventRecorder
	Observer Observer
	// Metrics of the queue; may be nil.
	Metrics workqueue.MetricsProvider
}

// request is the latest request for an object.
type request struct {
	at time.Time
	// receiver is the one whose call it was.
	receiver *v1.Receiver
	// failures is how often the object could not be written since it was last written.
	failures int
	// gone are called if the object does not exist any more.
	gone []func()
}

// maxGone bounds what is kept for an object that is asked for faster than it can be written.
const maxGone = 64

// NewAnnotator returns an Annotator that takes requests at once and writes them once it runs.
func NewAnnotator(o AnnotatorOptions) *Annotator {
	a := &Annotator{options: o, pending: map[Target]request{}}
	a.loop = controller.NewLoop(controller.Options[Target]{
		Name:    "annotate",
		Workers: annotateWorkers,
		// For panics only: what fails otherwise comes back as sync says, without a line in the log each time.
		Backoff: controller.Backoff{Min: minBackoff, Max: maxBackoff},
		Sync:    a.sync,
		Metrics: o.Metrics,
	})
	return a
}

// Annotate implements [Queue].
func (a *Annotator) Annotate(receiver *v1.Receiver, targets []Target, at time.Time, gone func()) {
	for _, target := range targets {
		a.put(target, receiver, at, gone)
		a.loop.Add(target)
	}
}

func (a *Annotator) put(target Target, receiver *v1.Receiver, at time.Time, gone func()) {
	a.mu.Lock()
	defer a.mu.Unlock()
	latest := a.pending[target]
	if len(latest.gone) < maxGone {
		latest.gone = append(latest.gone, gone)
		a.pending[target] = latest
	} else {
		gone() // As if it were: a delivery of this object alone is forgotten now, since it could not be later.
	}
	if at.Before(latest.at) {
		return
	}
	latest.at, latest.receiver = at, receiver
	a.pending[target] = latest
}

// Len is the number of objects that wait to be written.
func (a *Annotator) Len() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.pending)
}

// Run writes until ctx ends. What is not written then is left to Drain.
func (a *Annotator) Run(ctx context.Context) { a.loop.Run(ctx) }

// Drain is called after Run has returned. It goes on trying until everything is written or ctx ends, and returns the
// number of objects that are left.
func (a *Annotator) Drain(ctx context.Context) int {
	for {
		a.writeAll(ctx)
		left := a.Len()
		if left == 0 {
			return 0
		}
		select {
		case <-ctx.Done():
			return left
		case <-time.After(minBackoff):
		}
	}
}

// writeAll tries everything that is pending once.
func (a *Annotator) writeAll(ctx context.Context) {
	targets := make(chan Target)
	var workers sync.WaitGroup
	for range annotateWorkers {
		workers.Go(func() {
			for target := range targets {
				a.try(ctx, target)
			}
		})
	}
	for _, target := range a.targets() {
		if ctx.Err() != nil {
			break
		}
		targets <- target
	}
	close(targets)
	workers.Wait()
}

func (a *Annotator) targets() []Target {
	a.mu.Lock()
	defer a.mu.Unlock()
	targets := make([]Target, 0, len(a.pending))
	for target := range a.pending {
		targets = append(targets, target)
	}
	return targets
}

func (a *Annotator) sync(ctx context.Context, target Target) (controller.Result, error) {
	return controller.Result{RequeueAfter: a.try(ctx, target)}, nil
}

// try writes the latest request for an object and returns after how long to try again, if at all.
func (a *Annotator) try(ctx context.Context, target Target) time.Duration {
	a.mu.Lock()
	latest, ok := a.pending[target]
	a.mu.Unlock()
	if !ok {
		return 0 // Written already.
	}
	start := time.Now()
	err := a.write(ctx, target, latest.at)
	outcome := outcomeOf(err)
	switch {
	case outcome != NotWritten:
		a.done(target, latest, outcome)
	case ctx.Err() != nil:
		return 0 // Cut off, not failed: it is left to Drain.
	default:
		latest.failures = a.failed(target)
		a.report(ctx, target, latest, err)
	}
	a.options.Observer.ObserveAnnotate(outcome, time.Since(start))
	return backoff(latest.failures, outcome)
}

// write patches nothing but the one annotation, in whatever state the object is.
func (a *Annotator) write(ctx context.Context, target Target, at time.Time) error {
	ctx, cancel := context.WithTimeout(ctx, patchLimit)
	defer cancel()
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{
		"annotations": map[string]string{notification.RequestedAtAnnotation: at.UTC().Format(time.RFC3339Nano)},
	}})
	if err != nil {
		return err
	}
	_, err = a.options.Client.Resource(target.Resource).Namespace(target.Namespace).
		Patch(ctx, target.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: controller.FieldManager})
	return err
}

func outcomeOf(err error) string {
	switch {
	case err == nil:
		return Written
	case apierrors.IsNotFound(err):
		return Gone
	default:
		return NotWritten
	}
}

// done forgets a request that was written, unless a later one has come meanwhile. That one is in the queue.
func (a *Annotator) done(target Target, written request, outcome string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	latest := a.pending[target]
	if outcome == Gone {
		for _, gone := range written.gone {
			gone()
		}
	}
	latest.gone = latest.gone[len(written.gone):]
	if latest.at.Equal(written.at) {
		delete(a.pending, target)
		return
	}
	latest.failures = 0
	a.pending[target] = latest
}

// failed counts a failure and returns how many there have been.
func (a *Annotator) failed(target Target) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	latest := a.pending[target]
	latest.failures++
	a.pending[target] = latest
	return latest.failures
}

// report says only the first failure aloud: an API server that is down fails them all, again and again.
func (a *Annotator) report(ctx context.Context, target Target, r request, err error) {
	logger := klog.FromContext(ctx).WithValues("object", target.String(), "receiver", klog.KObj(r.receiver))
	if r.failures > 1 {
		logger.V(4).Info("Still could not request reconciliation", "failures", r.failures, "err", err.Error())
		return
	}
	logger.Error(err, "Could not request reconciliation; will try again until it is done or the object is gone")
	warn(a.options.Events, r.receiver, fmt.Sprintf("Cannot annotate %s yet, will try again: %v", target, err))
}

// backoff is how long to wait after this many failures in a row, the last outcome being the given one.
func backoff(failures int, outcome string) time.Duration {
	if outcome != NotWritten {
		return 0
	}
	delay := minBackoff
	for range failures - 1 {
		if delay = 2 * delay; delay >= maxBackoff {
			return maxBackoff
		}
	}
	return delay
}
