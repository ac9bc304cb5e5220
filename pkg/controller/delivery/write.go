package delivery

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

const (
	alertKind    = "Alert"
	providerKind = "Provider"
	// maxError is how long an error may be in a status, in bytes.
	maxError = 512
	// maxName is likewise how long a name may be: the longest of an object. What an event or an Alert names need not exist.
	maxName = 253
	// maxSkew is how far the clock of another replica may be ahead. What is later than that is not believed.
	maxSkew = time.Minute
)

// verdict is what became of a write.
type verdict int

const (
	// failed writes may succeed later.
	failed verdict = iota
	written
	// outdated means that the status tells of a later delivery.
	outdated
	// gone means that the object does not exist any more.
	gone
	// conflict means that the object is not what the cache shows.
	conflict
	// rejected means that the API server does not take the status of this object.
	rejected
	// forbidden means that it does not let the status of this object be written, or that of any of its kind.
	forbidden
	// refused means that the API server does not take the status of this kind.
	refused
)

// errNoField says that a write changed nothing.
var errNoField = errors.New("the CustomResourceDefinition does not have status.lastDelivery")

// kind is how the objects of a kind are read and written.
type kind struct {
	// cached returns the object as the cache has it, with its last delivery, which may be nil.
	cached func(namespace, name string) (metav1.Object, *v1beta3.Delivery, error)
	// get asks the API server for the object.
	get func(ctx context.Context, namespace, name string) error
	// patch changes the status, and returns what it is then.
	patch func(ctx context.Context, namespace, name string, patch []byte) (*v1beta3.Delivery, error)
	// fields are those of the last delivery; null for those that are empty, or they would keep their values.
	fields func(Outcome) map[string]any
}

func alerts(o Options) kind {
	last := func(a *v1beta3.Alert) *v1beta3.Delivery {
		if a == nil || a.Status.LastDelivery == nil {
			return nil
		}
		return &a.Status.LastDelivery.Delivery
	}
	return kind{
		cached: func(namespace, name string) (metav1.Object, *v1beta3.Delivery, error) {
			a, err := o.Alerts.Alerts(namespace).Get(name)
			return a, last(a), err
		},
		get: func(ctx context.Context, namespace, name string) error {
			_, err := o.Client.Alerts(namespace).Get(ctx, name, metav1.GetOptions{})
			return err
		},
		patch: func(ctx context.Context, namespace, name string, patch []byte) (*v1beta3.Delivery, error) {
			a, err := o.Client.Alerts(namespace).Patch(ctx, name, types.MergePatchType, patch, patchOptions(), "status")
			return last(a), err
		},
		fields: func(o Outcome) map[string]any {
			fields := commonFields(o)
			fields["provider"], fields["object"] = orNull(o.Provider.Name), orNull(o.Object.String())
			return fields
		},
	}
}

func providers(o Options) kind {
	last := func(p *v1beta3.Provider) *v1beta3.Delivery {
		if p == nil {
			return nil
		}
		return p.Status.LastDelivery
	}
	return kind{
		cached: func(namespace, name string) (metav1.Object, *v1beta3.Delivery, error) {
			p, err := o.Providers.Providers(namespace).Get(name)
			return p, last(p), err
		},
		get: func(ctx context.Context, namespace, name string) error {
			_, err := o.Client.Providers(namespace).Get(ctx, name, metav1.GetOptions{})
			return err
		},
		patch: func(ctx context.Context, namespace, name string, patch []byte) (*v1beta3.Delivery, error) {
			p, err := o.Client.Providers(namespace).Patch(ctx, name, types.MergePatchType, patch, patchOptions(), "status")
			return last(p), err
		},
		fields: commonFields,
	}
}

func patchOptions() metav1.PatchOptions {
	return metav1.PatchOptions{FieldManager: controller.FieldManager}
}

func commonFields(o Outcome) map[string]any {
	return map[string]any{
		"time":   metav1.NewTime(o.Time.UTC()),
		"result": o.Result,
		"reason": orNull(o.Reason),
		"error":  orNull(o.Error),
	}
}

func orNull(s string) any {
	if s == "" {
		return nil
	}
	return s
}

// write writes an outcome to the status of the object as the cache has it, if it is not older than what is there.
func (k kind) write(ctx context.Context, object provider.Object, o Outcome) (verdict, error) {
	cached, last, err := k.cached(object.Namespace, object.Name)
	switch {
	case apierrors.IsNotFound(err), err == nil && string(cached.GetUID()) != object.UID:
		return gone, nil
	case err != nil:
		return failed, err
	case last != nil && last.Time.After(o.Time) && last.Time.Before(&metav1.Time{Time: time.Now().Add(maxSkew)}):
		return outdated, nil
	}
	patch, err := json.Marshal(map[string]any{
		"metadata": map[string]any{"resourceVersion": cached.GetResourceVersion()},
		"status":   map[string]any{"lastDelivery": k.fields(o)},
	})
	if err != nil {
		return failed, err
	}
	stored, err := k.patch(ctx, object.Namespace, object.Name, patch)
	switch {
	case err == nil && stored == nil:
		return refused, errNoField
	case err == nil:
		return written, nil
	case apierrors.IsConflict(err):
		return conflict, nil
	case apierrors.IsInvalid(err), isTooLarge(err):
		return rejected, err
	case apierrors.IsForbidden(err):
		return forbidden, err
	case apierrors.IsNotFound(err):
		return k.missing(ctx, object, err)
	default:
		return failed, err
	}
}

// isTooLarge says whether the object has no room for the status, which only an edit can change. That etcd does not take it,
// or that it is more than may be sent to etcd, the API server has no code for but that of all its faults.
func isTooLarge(err error) bool {
	return apierrors.IsRequestEntityTooLargeError(err) ||
		strings.Contains(err.Error(), "etcdserver: request is too large") ||
		strings.Contains(err.Error(), "trying to send message larger than max")
}

// missing tells whether it is the object that was not found, or its status: the CRD of Flux has none.
func (k kind) missing(ctx context.Context, object provider.Object, err error) (verdict, error) {
	switch getErr := k.get(ctx, object.Namespace, object.Name); {
	case apierrors.IsNotFound(getErr):
		return gone, nil
	case getErr != nil:
		return failed, getErr
	default:
		return refused, err
	}
}
