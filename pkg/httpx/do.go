package httpx

import (
	"bytes"
	"cmp"
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

const (
	// maxAnswer is how much of an answer is read where the request does not say.
	maxAnswer = 64 << 10
	// maxQuote is how much of an answer an error quotes.
	maxQuote = 512
)

// Answer is what a service said, its body cut at the request's limit.
type Answer struct {
	StatusCode int
	Header     http.Header
	Body       []byte
}

// Request is one request to a service.
type Request struct {
	// Method is POST when empty.
	Method string
	URL    string
	// Header is sent as it is; Content-Type defaults to application/json when there is a body.
	Header http.Header
	Body   []byte
	// MaxAnswer is how many bytes of the answer are read; 0 means 64 KiB. A longer one is cut, and its connection not
	// used again.
	MaxAnswer int64
}

// PostJSON sends payload as JSON and returns nil if the service answers with any 2xx.
func PostJSON(ctx context.Context, client *http.Client, address string, header http.Header, payload any) error {
	body, err := json.Marshal(payload)
	if err != nil {
		return provider.Permanentf(provider.ReasonInvalid, "encode payload: %w", err)
	}
	_, err = Send(ctx, client, Request{URL: address, Header: header, Body: body})
	return err
}

// Send makes a request and returns the answer if it is a 2xx, and otherwise a *[provider.Error], with which the answer
// comes along if there is one. The answer is read up to MaxAnswer; if that is all of it, its connection is used again.
func Send(ctx context.Context, client *http.Client, r Request) (*Answer, error) {
	answer, err := Do(ctx, client, r)
	if err != nil {
		return nil, err
	}
	return answer, StatusError(answer, time.Now())
}

// Do is [Send] for services whose answer is not told by its status alone.
func Do(ctx context.Context, client *http.Client, r Request) (*Answer, error) {
	method := r.Method
	if method == "" {
		method = http.MethodPost
	}
	req, err := http.NewRequestWithContext(ctx, method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return nil, provider.Permanentf(provider.ReasonConfig, "the address is not a valid URL")
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if len(r.Body) > 0 && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, transportError(err)
	}
	defer resp.Body.Close()
	// The status has been said: a body that breaks off does not take it back.
	body, _ := io.ReadAll(io.LimitReader(resp.Body, cmp.Or(r.MaxAnswer, maxAnswer)))
	return &Answer{StatusCode: resp.StatusCode, Header: resp.Header, Body: body}, nil
}

// StatusError returns nil for a 2xx, and otherwise what the status says to do: 429 and 5xx (but 501) are transient,
// or throttled if the answer says how long; all others are permanent.
func StatusError(a *Answer, now time.Time) error {
	code := a.StatusCode
	if code/100 == 2 {
		return nil
	}
	text := strings.TrimSpace(fmt.Sprintf("the service answered %d %s", code, http.StatusText(code)))
	if quote := Quote(a.Body); quote != "" {
		text += ": " + quote
	}
	switch {
	case code == http.StatusTooManyRequests || code == http.StatusServiceUnavailable:
		if after, ok := RetryAfter(a.Header, now); ok {
			return provider.Throttledf(after, "%s", text)
		}
		if code == http.StatusTooManyRequests {
			return provider.Transientf(provider.ReasonRateLimited, "%s", text)
		}
		return provider.Transientf(provider.ReasonServerError, "%s", text)
	case code >= 500 && code != http.StatusNotImplemented:
		return provider.Transientf(provider.ReasonServerError, "%s", text)
	case code == http.StatusUnauthorized || code == http.StatusForbidden:
		return provider.Permanentf(provider.ReasonAuth, "%s", text)
	case code == http.StatusNotFound || code == http.StatusGone:
		return provider.Permanentf(provider.ReasonNotFound, "%s", text)
	case code/100 == 3:
		return provider.Permanentf(provider.ReasonRedirect, "%s: the service has moved; change the address", text)
	default:
		return provider.Permanentf(provider.ReasonRejected, "%s", text)
	}
}

// RetryAfter reads the header Retry-After (RFC 9110, section 10.2.3): seconds or an HTTP date. It says no where that
// asks for no wait at all, so that nothing comes back at once and for ever.
func RetryAfter(header http.Header, now time.Time) (time.Duration, bool) {
	value := strings.TrimSpace(header.Get("Retry-After"))
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(seconds, maxRetryAfterSeconds)) * time.Second, seconds > 0
	}
	if date, err := http.ParseTime(value); err == nil {
		return date.Sub(now), date.After(now)
	}
	return 0, false
}

// maxRetryAfterSeconds keeps a nonsensical Retry-After from overflowing a duration.
const maxRetryAfterSeconds = 365 * 24 * 60 * 60

// Quote returns the beginning of an answer on one line, for an error. Where it is cut it ends in an ellipsis, which
// tells a [provider.Redactor] that a secret may have been cut too.
func Quote(body []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(body[:min(len(body), maxQuote)]), "")), " ")
	if len(body) > maxQuote {
		text += provider.Ellipsis
	}
	return text
}

// transportError classifies an error of [http.Client.Do] and takes the URL out of it.
func transportError(err error) error {
	var withURL *url.Error
	if errors.As(err, &withURL) {
		err = withURL.Err
	}
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		operation    *net.OpError
		timeout      net.Error
		denied       *DeniedError
	)
	switch {
	case errors.As(err, &denied):
		return provider.Permanentf(provider.ReasonConfig, "%w", denied)
	case errors.As(err, &timeout) && timeout.Timeout():
		return provider.Transientf(provider.ReasonTimeout, "no answer in time: %w", err)
	case errors.As(err, &verification):
		return provider.Permanentf(provider.ReasonTLS, "%w", err)
	case errors.As(err, &record), errors.Is(err, http.ErrSchemeMismatch):
		return provider.Permanentf(provider.ReasonTLS, "the service does not speak TLS: %w", err)
	case errors.As(err, &operation) && operation.Op == "remote error":
		// A TLS alert. The service may only be in trouble.
		return provider.Transientf(provider.ReasonTLS, "%w", err)
	case strings.Contains(err.Error(), "unsupported protocol scheme"), strings.Contains(err.Error(), "invalid header field"):
		// net/http has no types for these two, which no repetition can heal.
		return provider.Permanentf(provider.ReasonConfig, "%w", err)
	default:
		return provider.Transientf(provider.ReasonConnection, "%w", err)
	}
}
