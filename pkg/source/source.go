// Package source holds what all senders of webhooks share: the request as it was read, the answer of a verifier and
// the errors that become status codes. Each type of Receiver has a folder of its own; registry is the table of them.
package source

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
)

// Request is a webhook call whose body has been read once, whole.
type Request struct {
	Header http.Header
	// Body is the raw body: signatures are over these bytes.
	Body []byte
}

// Result is what a verified call says.
type Result struct {
	// Event is the name of the event, for the types that have one; spec.events is compared with it.
	Event string
	// DeliveryID is the id under which the sender repeats the call; empty if it names none. Two calls with the same id
	// are one.
	DeliveryID string
	// ValidUntil is when the call, with this id signed, is no longer authentic; zero if it stays so, or if whoever repeats
	// it can give it another id. Until then somebody who has recorded it may not have it count again.
	ValidUntil time.Time
	// Payload is the JSON document that filters see; the raw body for most types.
	Payload []byte
	// PayloadIsJSON says so whatever the Content-Type says, which is what counts for all other types.
	PayloadIsJSON bool
	// Claims are those of the caller's token, for the type whose filters see them.
	Claims map[string]any
	// Ignore says why an authentic call asks for nothing, such as a handshake, and is what the caller is told. It is
	// empty for all others.
	Ignore string
}

// Verifier decides whether a call is authentic.
//
// Verify gets the data of the Receiver's Secret, whose "token" is never empty. It compares secrets in constant time,
// looks at nothing of the request before it is authenticated, and does not log. Its error is an [*AuthError], a
// [*PayloadError] or an [*UnavailableError]; none quotes the request or the Secret. It is safe for concurrent use.
type Verifier interface {
	Verify(ctx context.Context, r *Request, secret map[string][]byte) (Result, error)
}

// VerifierFunc is a function that is a [Verifier]: of the types that need no more than the call and the Secret.
type VerifierFunc func(r *Request, secret map[string][]byte) (Result, error)

// Verify implements [Verifier].
func (f VerifierFunc) Verify(_ context.Context, r *Request, secret map[string][]byte) (Result, error) {
	return f(r, secret)
}

// Config is what the verifier of one Receiver is built from.
type Config struct {
	// OIDCProviders is spec.oidcProviders of the Receiver.
	OIDCProviders []v1.OIDCProvider
	// Keys are the public keys of issuers, which all Receivers share.
	Keys *jwks.Cache
	// Client fetches what else a verifier needs to know of the sender.
	Client *http.Client
}

// Type is a row of the table of Receiver types.
type Type struct {
	// Name is the value of spec.type.
	Name string
	// Verifier is that of all Receivers of the type, where New is nil.
	Verifier Verifier
	// New builds the verifier of one Receiver, once for each edit of it. It calls nobody.
	New func(Config) (Verifier, error)
	// ProofInHeaders says that headers alone prove a call, so that Verify is called without the body, which becomes the
	// payload. It is for types whose path anybody can work out: the body of a stranger is not worth the memory.
	ProofInHeaders bool
	// HasEvents says that calls name their event, so that spec.events applies.
	HasEvents bool
	// Title, Headers, Check and Keys say, for documentation, who calls, which headers count, what is verified and which
	// keys of the Secret are read beside "token".
	Title   string
	Headers []string
	Check   string
	Keys    []string
	// RequiredKeys are those of Keys without which no call can be verified.
	RequiredKeys []string
	// CheckSecret says what is wrong with a Secret with which no call can be verified although all keys are there; nil where
	// every value is good. Its error names the key and quotes no value.
	CheckSecret func(secret map[string][]byte) error
}

// Build returns the verifier of a Receiver. The error is about its spec.
func (t Type) Build(c Config) (Verifier, error) {
	if t.New == nil {
		return t.Verifier, nil
	}
	return t.New(c)
}

// AuthError says that a call is not authentic. The caller is told only that: why is for the log.
type AuthError struct {
	Why string
	// Answer is what the caller is told after all, if it is not empty: text of the Receiver's spec, never of the call.
	Answer string
}

func (e *AuthError) Error() string { return e.Why }

// PayloadError says that an authentic call cannot be understood.
type PayloadError struct{ Why string }

func (e *PayloadError) Error() string { return e.Why }

// UnavailableError says that nobody can tell now whether a call is authentic, which is not the caller's fault.
type UnavailableError struct{ Why string }

func (e *UnavailableError) Error() string { return e.Why }

// Unauthenticated returns an [*AuthError].
func Unauthenticated(format string, args ...any) error {
	return &AuthError{Why: fmt.Sprintf(format, args...)}
}

// BadPayload returns a [*PayloadError].
func BadPayload(format string, args ...any) error {
	return &PayloadError{Why: fmt.Sprintf(format, args...)}
}

// Unavailable returns an [*UnavailableError].
func Unavailable(format string, args ...any) error {
	return &UnavailableError{Why: fmt.Sprintf(format, args...)}
}

// IsUnauthenticated says whether err is an [*AuthError].
func IsUnauthenticated(err error) bool {
	var auth *AuthError
	return errors.As(err, &auth)
}
