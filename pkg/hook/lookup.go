package hook

import (
	"errors"
	"fmt"
	"net/http"

	"k8s.io/apimachinery/pkg/api/meta"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/server"
)

var (
	errStarting    = errors.New("the controller has not read all Receivers and Secrets yet, or is shutting down")
	errNotReady    = errors.New("the Receiver is not ready; its conditions say why")
	errUnknownType = errors.New("spec.type is none that this version of the controller knows")
)

// lookup finds the Receiver that is called. The body has not been read yet: an unknown path is not worth the memory.
func (h *Hook) lookup(c *call, r *http.Request) *verdict {
	if !h.Ready() {
		return notReady(errStarting)
	}
	if r.ContentLength > server.MaxBody {
		return tooLarge()
	}
	// The path has to be the raw request target: with a query or in another spelling it is another path.
	receiver, err := h.Receivers.ByPath(r.RequestURI)
	switch {
	case err != nil:
		return because(Failed, "the Receiver could not be looked up", fmt.Errorf("look the Receiver up: %w", err))
	case receiver == nil:
		return &verdict{outcome: UnknownPath, text: "not found"}
	}
	c.receiver = receiver
	typ, ok := h.Types(receiver.Spec.Type)
	if !ok {
		return because(BadRequest, "the type of the Receiver is not supported", errUnknownType)
	}
	c.typ = typ
	// A suspended Receiver is not reconciled, so that its conditions may be out of date. It only has to be able to
	// tell that the call is authentic.
	if !receiver.Spec.Suspend && !isReady(receiver) {
		return notReady(errNotReady)
	}
	return nil
}

func tooLarge() *verdict {
	return &verdict{outcome: TooLarge, text: fmt.Sprintf("the body is longer than %d bytes", server.MaxBody)}
}

// isReady says whether a Receiver is Ready, and neither stalled nor tried again.
func isReady(r *v1.Receiver) bool {
	is := func(condition string) bool { return meta.IsStatusConditionTrue(r.Status.Conditions, condition) }
	return is(notification.ConditionReady) &&
		is(notification.ConditionStalled) == is(notification.ConditionReconciling)
}
