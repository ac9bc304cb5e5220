// Package slack posts messages to Slack, through an incoming webhook or the method chat.postMessage of its Web API,
// and to chat services that take the same messages.
//
// Sources: https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks,
// https://docs.slack.dev/reference/methods/chat.postMessage
package slack

import (
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// methodURL is the one address whose answers say in the body whether the message was taken. All others, also those
// that differ in a slash only, are taken for webhooks, which say it with the status.
const methodURL = "https://slack.com/api/chat.postMessage"

// New returns a Sender of type slack. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) { return newSender(cfg, methodURL) }

// newSender lets a test say what the URL of the method is.
func newSender(cfg provider.Config, methodURL string) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	authorization := ""
	if cfg.Token != "" {
		authorization = "Bearer " + cfg.Token
	}
	header, err := httpx.TokenHeader("Authorization", authorization)
	if err != nil {
		return nil, err
	}
	post := &chat.Poster{
		Client:  cfg.Client,
		URL:     cfg.Address,
		Header:  header,
		Message: func(e *event.Event) any { return newMessage(e, cfg.Channel, cfg.Username) },
	}
	if cfg.Address == methodURL {
		post.Verdict = methodError
	}
	return post, nil
}
