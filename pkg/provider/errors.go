package provider

import (
	"errors"
	"fmt"
	"time"
)

// Kind says what to do about a failed attempt.
type Kind int

const (
	// Transient failures may go away by themselves: try again.
	Transient Kind = iota
	// Permanent failures need an edit: give up.
	Permanent
	// Throttled failures say when the service takes notifications again: wait until then.
	Throttled
	// Superseded is no failure: there is nothing to send any more. A newer event has already changed what this one was to
	// change, the Provider has been suspended, or an edit has it change nothing.
	Superseded
)

// Reason is a class of failure. The set is closed, since it is the value of a metric label.
type Reason string

// Reasons of failures.
const (
	ReasonConnection   Reason = "connection"
	ReasonTimeout      Reason = "timeout"
	ReasonTLS          Reason = "tls"
	ReasonAuth         Reason = "auth"
	ReasonNotFound     Reason = "not_found"
	ReasonRejected     Reason = "rejected"
	ReasonRateLimited  Reason = "rate_limited"
	ReasonServerError  Reason = "server_error"
	ReasonRedirect     Reason = "redirect"
	ReasonInvalid      Reason = "invalid"
	ReasonConfig       Reason = "config"
	ReasonSecret       Reason = "secret"
	ReasonSuperseded   Reason = "superseded"
	ReasonUnclassified Reason = "other"
)

// Error is a failed attempt.
type Error struct {
	Kind   Kind
	Reason Reason
	// RetryAfter is how long a Throttled service wants to be left alone.
	RetryAfter time.Duration
	Err        error
}

func (e *Error) Error() string { return e.Err.Error() }

func (e *Error) Unwrap() error { return e.Err }

// Permanentf returns a permanent error.
func Permanentf(reason Reason, format string, args ...any) *Error {
	return &Error{Kind: Permanent, Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Transientf returns a transient error.
func Transientf(reason Reason, format string, args ...any) *Error {
	return &Error{Kind: Transient, Reason: reason, Err: fmt.Errorf(format, args...)}
}

// Throttledf returns an error that asks to wait.
func Throttledf(after time.Duration, format string, args ...any) *Error {
	return &Error{Kind: Throttled, Reason: ReasonRateLimited, RetryAfter: after, Err: fmt.Errorf(format, args...)}
}

// Supersededf returns an error that says that a newer event, or an edit, came first.
func Supersededf(format string, args ...any) *Error {
	return &Error{Kind: Superseded, Reason: ReasonSuperseded, Err: fmt.Errorf(format, args...)}
}

// MissingKey returns the permanent error of a type that needs a key of its Secret which is missing or empty.
func MissingKey(key string) *Error {
	return Permanentf(ReasonSecret, "%s is missing or empty", SecretKey(key))
}

// SecretKey names a key of a Provider's Secret, for errors that say what to change.
func SecretKey(key string) string {
	return fmt.Sprintf("key %q of the Secret in spec.secretRef", key)
}

// Classify returns err as an *[Error]: the one in its chain, or else a transient one.
func Classify(err error) *Error {
	var classified *Error
	if errors.As(err, &classified) {
		return classified
	}
	return &Error{Kind: Transient, Reason: ReasonUnclassified, Err: err}
}
