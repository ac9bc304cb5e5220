package chat

import (
	"encoding/json"
	"net/http"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Verdict says what an answer means: nil that the service took the message, otherwise a *[provider.Error].
type Verdict func(a *httpx.Answer, now time.Time) error

// StatusError is [httpx.StatusError] for services that say with a 429 in a way of their own how many seconds to wait.
// What the header Retry-After says goes first.
func StatusError(a *httpx.Answer, now time.Time, seconds float64) error {
	err := httpx.StatusError(a, now)
	if a.StatusCode == http.StatusTooManyRequests && provider.Classify(err).Kind != provider.Throttled && seconds > 0 {
		return provider.Throttledf(wait(seconds), "%w", err)
	}
	return err
}

// wait turns seconds into a duration that cannot overflow.
func wait(seconds float64) time.Duration {
	const most = 24 * time.Hour
	return time.Duration(min(seconds, most.Seconds()) * float64(time.Second))
}

// WithStatus returns the answer with the status that its body tells, for services that answer 200 whatever happens.
func WithStatus(a *httpx.Answer, status int) *httpx.Answer {
	changed := *a
	changed.StatusCode = status
	return &changed
}

// Decode reads a JSON answer into a struct. What is not such an answer leaves it empty: then the status has to do.
func Decode[T any](a *httpx.Answer) T {
	var said T
	if json.Unmarshal(a.Body, &said) != nil {
		var nothing T
		return nothing
	}
	return said
}
