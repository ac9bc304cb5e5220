// Package slack posts messages to Slack, through an incoming webhook or the method chat.postMessage of its Web API,
// and to chat services that take the same messages.
//
// Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
// https://docs.slack.dev/reference/methods/chat.postMessage
package slack

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// methodURL is the one address whose answers say in the body whether the message was taken. All others, also those
// that differ in a slash only, are taken for webhooks, which say it with the status.
const methodURL = "https://slack.com/api/chat.postMessage"

type sender struct {
	client            *http.Client
	address           string
	channel, username string
	header            http.Header
	isMethod          bool
}

// New returns a Sender of type slack. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) { return newSender(cfg, methodURL) }

// newSender lets a test say what the URL of the method is.
func newSender(cfg provider.Config, methodURL string) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	header := http.Header{}
	if cfg.Token != "" {
		bearer := "Bearer " + cfg.Token
		if err := httpx.CheckHeaders(provider.SecretKey("token"), map[string]string{"Authorization": bearer}); err != nil {
			return nil, err
		}
		header.Set("Authorization", bearer)
	}
	return &sender{
		client:   cfg.Client,
		address:  cfg.Address,
		channel:  cfg.Channel,
		username: cfg.Username,
		header:   header,
		isMethod: cfg.Address == methodURL,
	}, nil
}

// Send implements [provider.Sender].
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	payload := newMessage(&n.Event, s.channel, s.username)
	if !s.isMethod {
		return httpx.PostJSON(ctx, s.client, s.address, s.header, payload)
	}
	body, err := json.Marshal(payload)
	if err != nil {
		return provider.Permanentf(provider.ReasonInvalid, "encode message: %w", err)
	}
	answer, err := httpx.Do(ctx, s.client, httpx.Request{URL: s.address, Header: s.header, Body: body})
	if err != nil {
		return err
	}
	return methodError(answer, time.Now())
}
