package jwks

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

const (
	// freshFor is how long keys are used without a question: what an issuer withdraws is good for no longer.
	freshFor = time.Hour
	// usableFor is how long they are used while the issuer does not answer.
	usableFor = 6 * time.Hour
	// attemptEvery is how often an issuer is asked at most.
	attemptEvery = 10 * time.Second
	// attemptLimit is how long that may take.
	attemptLimit = 5 * time.Second
)

// ErrNotVerified means that the issuer has not made the signature.
var ErrNotVerified = errors.New("no key of the issuer verifies the signature")

// UnavailableError means that the keys that may verify a signature cannot be had now.
type UnavailableError struct{ Err error }

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("the keys of the issuer cannot be had: %v", e.Err)
}

func (e *UnavailableError) Unwrap() error { return e.Err }

// Set is a key set that is fetched when it is needed, and again when it is old or when no key in it is the right one:
// that may be a new one. It is safe for concurrent use.
type Set struct {
	fetch func(context.Context) (*keys, error)
	now   func() time.Time

	mu sync.Mutex
	// keys are those that were got last, at fetched; nil before.
	keys    *keys
	fetched time.Time
	// last is the latest attempt, which may be under way; nil before.
	last *attempt
}

// attempt is one question to the issuer.
type attempt struct {
	began time.Time
	// done is closed when it has ended, with err.
	done chan struct{}
	err  error
}

// Verify returns nil if a key of the set has made the signature, and otherwise [ErrNotVerified] or an
// [*UnavailableError].
func (s *Set) Verify(ctx context.Context, token *jose.JSONWebSignature) error {
	if s.within(freshFor).verify(token) {
		return nil
	}
	err := s.refresh(ctx)
	switch {
	case s.within(usableFor).verify(token):
		return nil
	case err != nil:
		return &UnavailableError{err}
	default:
		return ErrNotVerified
	}
}

// within returns the keys if they are younger than age, or nil.
func (s *Set) within(age time.Duration) *keys {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.keys == nil || s.now().Sub(s.fetched) >= age {
		return nil
	}
	return s.keys
}

// refresh asks the issuer, or waits for the caller who does so already; if it has been asked a moment ago, that is the
// answer. It returns how that attempt ended.
func (s *Set) refresh(ctx context.Context) error {
	s.mu.Lock()
	now, last := s.now(), s.last
	mine := last == nil || now.Sub(last.began) >= attemptEvery
	if mine {
		last = &attempt{began: now, done: make(chan struct{}), err: errors.New("the attempt broke off")}
		s.last = last
	}
	s.mu.Unlock()
	if mine {
		s.run(ctx, last)
	}
	select {
	case <-last.done:
		return last.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// run makes an attempt. A caller that hangs up does not end it, since others wait for it.
func (s *Set) run(ctx context.Context, a *attempt) {
	defer close(a.done)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), attemptLimit)
	defer cancel()
	found, err := s.fetch(ctx)
	if a.err = err; err != nil {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.keys, s.fetched = found, s.now()
}
