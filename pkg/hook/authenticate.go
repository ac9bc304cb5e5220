package hook

import (
	"errors"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/server"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// authenticate reads the body, verifies the call, and only then says whether it is of interest: a stranger learns
// nothing of the Receiver.
func (h *Hook) authenticate(c *call, w http.ResponseWriter, r *http.Request) *verdict {
	data, err := h.secretOf(c.receiver)
	if err != nil {
		return notReady(err)
	}
	body, err := server.ReadBody(w, r)
	if err != nil {
		return unreadable(err)
	}
	c.request = source.Request{Header: r.Header, Body: body}
	result, err := c.typ.Verifier.Verify(&c.request, data)
	if err != nil {
		return refused(err)
	}
	c.result = &result
	switch {
	case c.receiver.Spec.Suspend:
		return &verdict{outcome: Suspended, text: "ignored: the Receiver is suspended"}
	case c.typ.HasEvents && !listed(result.Event, c.receiver.Spec.Events):
		return &verdict{outcome: EventIgnored, text: "ignored: the event is not listed in spec.events"}
	}
	return nil
}

func unreadable(err error) *verdict {
	var tooLong *http.MaxBytesError
	if errors.As(err, &tooLong) {
		return tooLarge()
	}
	return because(BadRequest, "the body could not be read", err)
}

// refused is the verdict on a call that a verifier refused. Why it is not authentic is not the caller's business.
func refused(err error) *verdict {
	var payload *source.PayloadError
	switch {
	case source.IsUnauthenticated(err):
		return because(NotAuthentic, "not authentic", err)
	case errors.As(err, &payload):
		return because(BadRequest, payload.Error(), err)
	default:
		return because(Failed, "the call could not be verified", err)
	}
}

// secretOf returns the data of the Receiver's Secret. A token that is missing or empty is an error, never a match; so
// is a Secret that cannot be had, also where the token is not used: without it the Receiver cannot be ready.
func (h *Hook) secretOf(r *v1.Receiver) (map[string][]byte, error) {
	if r.Spec.Type == v1.GenericOIDCReceiver {
		return nil, nil // Tokens of callers are verified with the issuer's keys.
	}
	if r.Spec.SecretRef == nil {
		return nil, errors.New("spec.secretRef is missing")
	}
	found, err := h.Secrets.Get(r.Namespace, r.Spec.SecretRef.Name)
	if err != nil {
		return nil, err
	}
	if len(found.Data[secret.KeyToken]) == 0 {
		return nil, &secret.MissingKeyError{Namespace: r.Namespace, Name: r.Spec.SecretRef.Name, Key: secret.KeyToken}
	}
	return found.Data, nil
}

// listed says whether an event is one of spec.events, without regard to case. An empty list stands for all.
func listed(event string, events []string) bool {
	return len(events) == 0 || slices.ContainsFunc(events, func(e string) bool { return strings.EqualFold(e, event) })
}
