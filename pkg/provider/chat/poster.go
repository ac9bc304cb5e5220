package chat

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Poster is a [provider.Sender] that posts each message as JSON to one URL.
type Poster struct {
	Client *http.Client
	URL    string
	Header http.Header
	// Message returns what to post.
	Message func(*event.Event) any
	// Verdict is for types whose answers say more than their status. Nil means [httpx.StatusError].
	Verdict Verdict
}

// Send implements [provider.Sender].
func (p *Poster) Send(ctx context.Context, n *provider.Notification) error {
	verdict := p.Verdict
	if verdict == nil {
		verdict = httpx.StatusError
	}
	return SendJSON(ctx, p.Client, httpx.Request{URL: p.URL, Header: p.Header}, p.Message(&n.Event), verdict)
}

// SendJSON sends message as the body of r and returns the verdict on the answer.
func SendJSON(ctx context.Context, client *http.Client, r httpx.Request, message any, verdict Verdict) error {
	body, err := json.Marshal(message)
	if err != nil {
		return provider.Permanentf(provider.ReasonInvalid, "encode message: %w", err)
	}
	r.Body = body
	return Send(ctx, client, r, verdict)
}

// Send sends r and returns the verdict on the answer.
func Send(ctx context.Context, client *http.Client, r httpx.Request, verdict Verdict) error {
	answer, err := httpx.Do(ctx, client, r)
	if err != nil {
		return err
	}
	return verdict(answer, time.Now())
}
