package cli

import (
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/controller/receiver"
	"github.com/notification-controller/notification-controller/pkg/secret"
	sourceregistry "github.com/notification-controller/notification-controller/pkg/source/registry"
)

// statusOf returns the status that the server gives a Receiver. Of a suspended one, it is that before it was suspended.
// The error says why there is no path.
func statusOf(secrets secret.Getter, r *v1.Receiver) (v1.ReceiverStatus, error) {
	types := sourceregistry.New().Lookup
	controller := receiver.Options{Secrets: secrets, Check: receiver.NewValidation(types).Check, Types: types}
	next := r.DeepCopy()
	next.Spec.Suspend, next.Status = false, v1.ReceiverStatus{}
	_, err := controller.Reconcile(next, time.Now())
	return next.Status, err
}
