package hook

import (
	"cmp"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/secret"
	"github.com/notification-controller/notification-controller/pkg/server"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// authenticate verifies the call, and only then says whether it is of interest: a stranger learns nothing of the
// Receiver.
func (h *Hook) authenticate(c *call, w http.ResponseWriter, r *http.Request) *verdict {
	if v := h.verify(c, w, r); v != nil {
		return v
	}
	switch {
	case c.result.Ignore != "":
		return &verdict{outcome: EventIgnored, text: "ignored: " + c.result.Ignore}
	case c.receiver.Spec.Suspend:
		return &verdict{outcome: Suspended, text: "ignored: the Receiver is suspended"}
	case c.typ.HasEvents && !listed(c.result.Event, c.receiver.Spec.Events):
		return &verdict{outcome: EventIgnored, text: "ignored: the event is not listed in spec.events"}
	}
	return nil
}

// verify reads the body and has the call verified, or the other way round where the headers are proof enough.
func (h *Hook) verify(c *call, w http.ResponseWriter, r *http.Request) *verdict {
	data, err := h.secretOf(c, r.RequestURI)
	if err != nil {
		return notReady(err)
	}
	verifier, err := h.verifierOf(c)
	if err != nil {
		return because(Failed, "the spec of the Receiver is broken", err)
	}
	c.request.Header = r.Header
	if !c.typ.ProofInHeaders {
		if c.request.Body, err = server.ReadBody(w, r); err != nil {
			return unreadable(err)
		}
	}
	result, err := verifier.Verify(r.Context(), &c.request, data)
	if err != nil {
		return refused(err)
	}
	if c.typ.ProofInHeaders {
		if c.request.Body, err = server.ReadBody(w, r); err != nil {
			return unreadable(err)
		}
		result.Payload = c.request.Body
	}
	c.result = &result
	return nil
}

func unreadable(err error) *verdict {
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		return tooLarge()
	case errors.Is(err, server.ErrBusy):
		return notReady(err)
	default:
		return because(BadRequest, "the body could not be read", err)
	}
}

// builtVerifier is the verifier of a Receiver, or why there is none.
type builtVerifier struct {
	source.Verifier
	err error
}

// verifierOf is the verifier of the type or, where each Receiver has its own, builds that once for each edit.
func (h *Hook) verifierOf(c *call) (source.Verifier, error) {
	if c.typ.New == nil {
		return c.typ.Verifier, nil
	}
	built := h.verifiers.Get(c.receiver, "", func() builtVerifier {
		config := h.Verifiers
		config.OIDCProviders = c.receiver.Spec.OIDCProviders
		verifier, err := c.typ.New(config)
		return builtVerifier{verifier, err}
	})
	return built.Verifier, built.err
}

// refused is the verdict on a call that a verifier refused. Why it is not authentic is not the caller's business,
// unless the Receiver's owner has written it down for the caller.
func refused(err error) *verdict {
	var (
		auth        *source.AuthError
		payload     *source.PayloadError
		unavailable *source.UnavailableError
	)
	switch {
	case errors.As(err, &auth):
		return because(NotAuthentic, cmp.Or(auth.Answer, "not authentic"), err)
	case errors.As(err, &payload):
		return because(BadRequest, payload.Error(), err)
	case errors.As(err, &unavailable):
		return notReady(err)
	default:
		return because(Failed, "the call could not be verified", err)
	}
}

// secretOf returns the data of the Receiver's Secret, with the token that the path was made from: of the two during a
// rotation, a call is verified with the one of its own path alone. A token that is missing or empty is an error, never a
// match; so is a Secret that cannot be had, also where the token is not used: without it the Receiver cannot be ready.
func (h *Hook) secretOf(c *call, path string) (map[string][]byte, error) {
	r := c.receiver
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
	token, previous := found.Data[secret.KeyToken], found.Data[secret.KeyPreviousToken]
	switch {
	case len(token) == 0:
		return nil, &secret.MissingKeyError{Namespace: r.Namespace, Name: r.Spec.SecretRef.Name, Key: secret.KeyToken}
	case r.WebhookPathFor(string(token)) == path:
		return found.Data, nil
	case len(previous) > 0 && r.WebhookPathFor(string(previous)) == path:
		c.previous = true
		data := maps.Clone(found.Data)
		data[secret.KeyToken] = previous
		return data, nil
	default:
		return nil, errMoved
	}
}

// errMoved is about a path that is out of date, or about to be: the token has changed, and the status says so shortly.
var errMoved = errors.New("the token of the Receiver has changed; its status will tell the new path shortly")

// listed says whether an event is one of spec.events, without regard to case. An empty list stands for all.
func listed(event string, events []string) bool {
	return len(events) == 0 || slices.ContainsFunc(events, func(e string) bool { return strings.EqualFold(e, event) })
}
