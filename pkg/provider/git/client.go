package git

import (
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// maxAnswer is how much of an answer is read: a page of 100 comments of 65,536 characters each is shorter.
const maxAnswer = 32 << 20

// Client calls the API of a host for one Provider. Its errors say which field of the Provider to change.
type Client struct {
	HTTP *http.Client
	// Base is the URL that paths are relative to, without a slash at the end.
	Base string
	// Header is sent with every call.
	Header http.Header
	// Authorize returns the headers that carry the credential, which may have to be fetched first.
	Authorize func(context.Context) (http.Header, error)
	// Refused is told of a credential that the host did not take, and has another one fetched for the next attempt. Nil
	// means that there is no other.
	Refused func(credential http.Header)
	// Credential names what the credential is made of, for errors.
	Credential string
	// Missing says what it means that the host does not find what it is asked for; empty means the repository.
	Missing string
	// Provider is the object that the calls are made for.
	Provider provider.Object
}

// Call is one call of the API.
type Call struct {
	Method string
	// Path starts with a slash, its elements are escaped; a query may follow.
	Path string
	// Header is sent beside that of the client.
	Header http.Header
	// In is sent as JSON unless nil, Out is what the answer is read into unless nil.
	In, Out any
	// Commit is the commit that the call is about, for errors; empty if it is about none.
	Commit string
}

// Do makes a call. The answer is nil if there is none; otherwise it comes with an error too. With a condition in the
// call's header, status 304 is no error, and nothing is read then.
func (c *Client) Do(ctx context.Context, call Call) (*httpx.Answer, error) {
	request := httpx.Request{Method: call.Method, URL: c.Base + call.Path, MaxAnswer: maxAnswer}
	if call.In != nil {
		body, err := json.Marshal(call.In)
		if err != nil {
			return nil, provider.Permanentf(provider.ReasonInvalid, "encode request: %w", err)
		}
		request.Body = body
	}
	credential, err := c.Authorize(ctx)
	if err != nil {
		return nil, err
	}
	request.Header = http.Header{}
	for _, header := range []http.Header{c.Header, call.Header, credential} {
		maps.Copy(request.Header, header)
	}
	answer, err := httpx.Do(ctx, c.HTTP, request)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusNotModified && call.Header.Get("If-None-Match") != "" {
		return answer, nil
	}
	if err := c.verdict(call, answer, credential); err != nil {
		return answer, mask(err, credential)
	}
	if call.Out != nil && json.Unmarshal(answer.Body, call.Out) != nil {
		return answer, provider.Transientf(provider.ReasonServerError,
			"the service answered %d with something else than the JSON of its API: see whether %s leads to it", answer.StatusCode, addressField)
	}
	return answer, nil
}

// verdict says what an answer means, and of a refusal what to change.
func (c *Client) verdict(call Call, answer *httpx.Answer, credential http.Header) error {
	now := time.Now()
	if after, ok := throttled(answer, now); ok {
		return provider.Throttledf(after, "%w", httpx.StatusError(answer, now))
	}
	err := c.advise(call, answer, httpx.StatusError(answer, now))
	if answer.StatusCode == http.StatusUnauthorized && c.Refused != nil {
		c.Refused(credential)
		return provider.Transientf(provider.ReasonAuth, "%w", err)
	}
	return err
}

// mask takes a credential out of an error, which may quote an answer that echoes it. One that was fetched is not among
// the secrets of the Provider, which are masked in all errors.
func mask(err error, credential http.Header) error {
	var secrets []string
	for _, values := range credential {
		secrets = append(secrets, values...)
	}
	return provider.NewRedactor(secrets...).Error(err)
}

// Fixed is the [Client.Authorize] of a credential that does not change.
func Fixed(header http.Header) func(context.Context) (http.Header, error) {
	return func(context.Context) (http.Header, error) { return header, nil }
}

// Body is a comment as all hosts take it.
type Body struct {
	Body string `json:"body"`
}

// CreatedID returns the ID of what an answer says has been created, 0 if it does not say.
func CreatedID(answer *httpx.Answer) int64 {
	if answer == nil {
		return 0
	}
	var created struct {
		ID int64 `json:"id"`
	}
	if json.Unmarshal(answer.Body, &created) != nil {
		return 0
	}
	return created.ID
}
