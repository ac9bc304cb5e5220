package identity

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// exchangeTimeout is how long a cloud may take for a token.
const exchangeTimeout = 10 * time.Second

// tokenAnswer is what clouds answer with (RFC 6749, section 5.1).
type tokenAnswer struct {
	AccessToken string `json:"access_token"`
	// ExpiresIn is in seconds. The metadata service of Azure writes it as a string.
	ExpiresIn json.Number `json:"expires_in"`
}

// exchange makes a request for a token. Its error shows none of the secrets.
func (i *identity) exchange(ctx context.Context, what string, r httpx.Request, secrets ...string) (provider.Token, error) {
	var said tokenAnswer
	if err := i.call(ctx, what, r, &said, secrets...); err != nil {
		return provider.Token{}, err
	}
	seconds, err := said.ExpiresIn.Int64()
	if err != nil || said.AccessToken == "" {
		return provider.Token{}, provider.Transientf(provider.ReasonServerError, "%s: the answer has no token, or does not say for how long", what)
	}
	return provider.Token{Value: said.AccessToken, Expires: time.Now().Add(time.Duration(seconds) * time.Second)}, nil
}

// call makes a request and reads the JSON that is answered.
func (i *identity) call(ctx context.Context, what string, r httpx.Request, into any, secrets ...string) error {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	answer, err := httpx.Send(ctx, i.client, r)
	if err != nil {
		return provider.NewRedactor(secrets...).Error(prefixed(what, err))
	}
	if json.Unmarshal(answer.Body, into) != nil {
		return provider.Transientf(provider.ReasonServerError, "%s: the answer is not JSON", what)
	}
	return nil
}

// prefixed keeps the classification of an error; one that says that there is no such thing is about rights here, and
// not about the Provider's own service.
func prefixed(what string, err error) error {
	classified := provider.Classify(err)
	reason := classified.Reason
	if classified.Kind == provider.Permanent {
		reason = provider.ReasonAuth
	}
	wrapped := provider.Permanentf(reason, "%s: %w", what, err)
	wrapped.Kind, wrapped.RetryAfter = classified.Kind, classified.RetryAfter
	return wrapped
}

// form is a request with the body of a form.
func form(address string, values url.Values) httpx.Request {
	return httpx.Request{
		URL:    address,
		Header: http.Header{"Content-Type": {"application/x-www-form-urlencoded"}},
		Body:   []byte(values.Encode()),
	}
}

// get is a request for metadata of the machine.
func get(address string, header http.Header) httpx.Request {
	return httpx.Request{Method: http.MethodGet, URL: address, Header: header}
}

// joined is an URL of a base and a path.
func joined(base, path string) string { return strings.TrimSuffix(base, "/") + path }
