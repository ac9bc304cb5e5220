// Package source holds what all senders of webhooks share: the request as it was read, the answer of a verifier and
// the errors that become status codes. Each type of Receiver has a folder of its own; registry is the table of them.
package source

import (
	"errors"
	"fmt"
	"net/http"
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
	// Payload is the JSON document that filters see; the raw body for most types.
	Payload []byte
}

// Verifier decides whether a call is authentic.
//
// Verify gets the data of the Receiver's Secret, whose "token" is never empty. It compares secrets in constant time,
// looks at nothing of the request before it is authenticated, and does not log. Its error is an [*AuthError] or a
// [*PayloadError]; neither quotes the request or the Secret. It is safe for concurrent use.
type Verifier interface {
	Verify(r *Request, secret map[string][]byte) (Result, error)
}

// VerifierFunc is a function that is a [Verifier].
type VerifierFunc func(r *Request, secret map[string][]byte) (Result, error)

// Verify implements [Verifier].
func (f VerifierFunc) Verify(r *Request, secret map[string][]byte) (Result, error) {
	return f(r, secret)
}

// Type is a row of the table of Receiver types.
type Type struct {
	// Name is the value of spec.type.
	Name     string
	Verifier Verifier
	// HasEvents says that calls name their event, so that spec.events applies.
	HasEvents bool
	// Title, Headers and Check say, for documentation, who calls, which headers count and what is verified.
	Title   string
	Headers []string
	Check   string
}

// AuthError says that a call is not authentic. The caller is told only that: why is for the log.
type AuthError struct{ Why string }

func (e *AuthError) Error() string { return e.Why }

// PayloadError says that an authentic call cannot be understood.
type PayloadError struct{ Why string }

func (e *PayloadError) Error() string { return e.Why }

// Unauthenticated returns an [*AuthError].
func Unauthenticated(format string, args ...any) error {
	return &AuthError{Why: fmt.Sprintf(format, args...)}
}

// BadPayload returns a [*PayloadError].
func BadPayload(format string, args ...any) error {
	return &PayloadError{Why: fmt.Sprintf(format, args...)}
}

// IsUnauthenticated says whether err is an [*AuthError].
func IsUnauthenticated(err error) bool {
	var auth *AuthError
	return errors.As(err, &auth)
}
