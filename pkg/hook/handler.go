// Package hook is the inbound flow, a file for each stage: a webhook comes in (handler.go), its path is looked up
// (lookup.go), it is authenticated (authenticate.go), the objects that the Receiver names are found (resolve.go) and
// filtered (filter.go), and the request to reconcile them is handed to the queue that writes it (annotate.go).
//
// Every answer comes from memory: no call waits for the API server.
package hook

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync/atomic"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/objects"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/server"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// ReceiverLookup finds Receivers.
type ReceiverLookup interface {
	// ByPath returns the Receiver with this webhook path, or nil.
	ByPath(path string) (*v1.Receiver, error)
}

// Objects finds objects to annotate; see [objects.Informers] for the errors.
type Objects interface {
	Get(kind schema.GroupKind, namespace, name string) (*metav1.PartialObjectMetadata, error)
	List(kind schema.GroupKind, namespace string, selector labels.Selector) ([]*metav1.PartialObjectMetadata, error)
	Resource(kind schema.GroupKind) (schema.GroupVersionResource, error)
}

// Queue takes requests to reconcile objects.
type Queue interface {
	// Annotate has the time of the request written to the objects. It does not wait.
	// gone is called once for each of them that does not exist any more.
	Annotate(receiver *v1.Receiver, targets []Target, at time.Time, gone func())
}

// Options configure a [Hook]. All but Log, Called and NoCrossNamespaceRefs have to be set.
type Options struct {
	Receivers ReceiverLookup
	Secrets   secret.Getter
	// Types finds a type of Receiver by spec.type.
	Types func(name string) (source.Type, bool)
	// Verifiers is what verifiers are built from, but for what is the Receiver's own.
	Verifiers source.Config
	Objects   Objects
	Queue     Queue
	// Events takes the Warnings on Receivers.
	Events   record.EventRecorder
	Observer Observer
	// Log has a line for each call.
	Log klog.Logger
	// Called is told of each call to a Receiver. It does not wait; nil means that nobody is told.
	Called func(Call)
	// Ready says whether Receivers and Secrets have been read and the process is not shutting down.
	Ready func() bool
	// NoCrossNamespaceRefs keeps Receivers from objects of other namespaces.
	NoCrossNamespaceRefs bool
	// CallsPerSecond is how often each Receiver may be called; 0 means without limit.
	CallsPerSecond float64
	// MaxDeliveries is how many deliveries are remembered to tell repetitions.
	MaxDeliveries int
}

const (
	// maxReceiverBodies is what the bodies of the calls to one Receiver may take together, in bytes: few enough that its
	// callers, of whom most types know only when they have read the body, cannot keep those of others out.
	maxReceiverBodies = 8 << 20
	// maxNamespaceBodies is the same for all Receivers of a namespace: a quarter of what there is for all, whoever makes
	// however many of them.
	maxNamespaceBodies = 16 << 20
)

// Hook answers webhooks.
type Hook struct {
	Options
	compilers *expr.ReceiverCompiler
	filters   *expr.Cache[*filters]
	verifiers *expr.Cache[builtVerifier]
	repeats   *repeats
	limits    *limits
	turns     *turns
	// receiverBodies and namespaceBodies are what the calls under way take, by the UID and the namespace of the Receiver.
	receiverBodies, namespaceBodies *server.Shares
}

// New returns a Hook.
func New(o Options) *Hook {
	return &Hook{
		Options:   o,
		compilers: expr.NewReceiverCompiler(),
		filters:   expr.NewCache[*filters](), verifiers: expr.NewCache[builtVerifier](),
		repeats: newRepeats(o.MaxDeliveries), limits: newLimits(o.CallsPerSecond), turns: newTurns(),
		receiverBodies: server.NewShares(maxReceiverBodies), namespaceBodies: server.NewShares(maxNamespaceBodies),
	}
}

// Drop forgets what is kept for a Receiver that is gone.
func (h *Hook) Drop(receiver types.UID) {
	h.filters.Drop(receiver)
	h.verifiers.Drop(receiver)
	h.limits.drop(receiver)
}

// Handler serves the webhook paths, and nothing else.
func (h *Hook) Handler() http.Handler {
	mux := http.NewServeMux()
	// Of every method: some senders can be set to use another one than POST.
	mux.HandleFunc(v1.WebhookPathPrefix, h.serve)
	return mux
}

// call is what is known of a call so far.
type call struct {
	// at is when it came.
	at       time.Time
	receiver *v1.Receiver
	typ      source.Type
	request  source.Request
	// previous says that the path is that of the previous token.
	previous bool
	// result is nil until the call is authenticated.
	result *source.Result
}

func (h *Hook) serve(w http.ResponseWriter, r *http.Request) {
	c := &call{at: time.Now(), typ: source.Type{Name: UnknownType}}
	v := h.handle(c, w, r)
	h.Observer.ObserveWebhook(c.typ.Name, v.outcome)
	h.log(c, v)
	v.write(w)
	if h.Called != nil && c.receiver != nil {
		h.Called(Call{
			Receiver: types.NamespacedName{Namespace: c.receiver.Namespace, Name: c.receiver.Name}, UID: c.receiver.UID,
			Outcome: v.outcome, Reason: v.reason(), At: c.at, Took: time.Since(c.at),
		})
	}
}

// handle takes a call through the stages. The first that has a verdict ends it.
func (h *Hook) handle(c *call, w http.ResponseWriter, r *http.Request) *verdict {
	if v := h.lookup(c, r); v != nil {
		return v
	}
	defer h.receiverBodies.Count(string(c.receiver.UID), r)()
	defer h.namespaceBodies.Count(c.receiver.Namespace, r)()
	if v := h.authenticate(c, w, r); v != nil {
		return v
	}
	if v := h.admit(c); v != nil {
		return v
	}
	done, err := h.turns.take(c.receiver.Namespace)
	if err != nil {
		return notReady(err)
	}
	defer done()
	filter, v := h.prepareFilter(c)
	if v != nil {
		return v
	}
	found, problems := h.resolve(c.receiver)
	// A caller that hangs up is not to stop half-way what it has asked for.
	targets, more := filter.apply(context.WithoutCancel(r.Context()), found)
	return h.handOver(c, targets, append(problems, more...))
}

// admit turns away what an authentic caller has sent before, or sends too often.
func (h *Hook) admit(c *call) *verdict {
	if c.previous {
		h.Observer.ObservePreviousToken(c.typ.Name)
	}
	if id := c.result.DeliveryID; id != "" && h.repeats.has(deliveryOf(c.receiver.UID, id), c.at) {
		return duplicate()
	}
	if wait := h.limits.take(c.receiver.UID, c.at); wait > 0 {
		return &verdict{outcome: RateLimited, text: "too many calls for this Receiver", wait: wait}
	}
	return nil
}

// handOver queues what is to be annotated, and says how it went with the rest.
func (h *Hook) handOver(c *call, targets []Target, problems []error) *verdict {
	gone := func() {}
	if c.result.DeliveryID != "" && len(problems) == 0 && len(targets) > 0 {
		// Before the queue has it: objects that are gone at once forget the delivery again.
		id := deliveryOf(c.receiver.UID, c.result.DeliveryID)
		if !h.repeats.keep(id, c.at, c.result.ValidUntil) {
			return duplicate() // The other one has come through the stages at the same time.
		}
		gone = whenAll(len(targets), func() { h.repeats.forget(id) })
	}
	h.Queue.Annotate(c.receiver, targets, c.at, gone)
	switch {
	case len(problems) == 0 && len(targets) == 0:
		return &verdict{outcome: NothingMatched, text: "nothing to reconcile: no object matches"}
	case len(problems) == 0:
		return &verdict{outcome: Accepted, text: "accepted"}
	case onlyNotSynced(problems):
		return notReady(summary(problems))
	}
	cause := summary(problems)
	warn(h.Events, c.receiver, cause.Error())
	return because(Failed, "not every object could be reconciled; the Receiver's Kubernetes Events say why", cause)
}

func duplicate() *verdict { return &verdict{outcome: Duplicate, text: "duplicate"} }

// whenAll returns a function that calls done when it is called for the n-th time: a delivery of which something was written
// has been carried out.
func whenAll(n int, done func()) func() {
	var calls atomic.Int64
	return func() {
		if calls.Add(1) == int64(n) {
			done()
		}
	}
}

func onlyNotSynced(problems []error) bool {
	for _, problem := range problems {
		if !errors.Is(problem, objects.ErrNotSynced) {
			return false
		}
	}
	return true
}

// maxProblems is how many problems one error quotes: there can be one for each object of a wildcard.
const maxProblems = 3

func summary(problems []error) error {
	joined := errors.Join(problems[:min(len(problems), maxProblems)]...)
	if more := len(problems) - maxProblems; more > 0 {
		return fmt.Errorf("%w\nand %d more", joined, more)
	}
	return joined
}

// log says how a call ended. Neither path nor body nor headers are ever logged: for some types the path is the
// credential.
func (h *Hook) log(c *call, v *verdict) {
	logger := h.Log.WithValues("outcome", v.outcome, "type", c.typ.Name)
	if c.receiver != nil {
		logger = logger.WithValues("receiver", klog.KObj(c.receiver))
	}
	switch {
	case v.outcome == Failed:
		logger.Error(v.cause, "Could not handle a webhook in full")
	case c.receiver == nil, v.outcome == NotAuthentic && c.typ.ProofInHeaders:
		logger.V(4).Info("Refused a webhook", "reason", v.reason()) // Anybody can make such calls.
	case v.cause != nil:
		logger.Info("Refused a webhook", "reason", v.cause.Error())
	default:
		logger.V(2).Info("Handled a webhook", "took", time.Since(c.at))
	}
}
