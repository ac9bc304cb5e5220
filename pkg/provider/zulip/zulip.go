// Package zulip sends messages to a channel of Zulip as a bot.
//
// Source: https://zulip.com/api/send-message
package zulip

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// messagesPath is the same on all servers.
const messagesPath = "/api/v1/messages"

// maxContent is how many characters a message may have (see the page above). Zulip cuts longer ones by itself, but at
// the end, where the metadata is. It does that with topics too, whose names are best left to it.
const maxContent = 10_000

type sender struct {
	client         *http.Client
	address        string
	channel, topic string
	header         http.Header
}

// New returns a Sender of type zulip. The address is that of the server, the channel one of Zulip's and a topic with
// a slash between them. The error names what to change: the address or the channel.
func New(cfg provider.Config) (provider.Sender, error) {
	u, err := httpx.ParseURL(cfg.Address)
	if err != nil {
		return nil, err
	}
	channel, topic, _ := strings.Cut(cfg.Channel, "/")
	if channel == "" || topic == "" {
		return nil, provider.Permanentf(provider.ReasonConfig, "spec.channel is %q: it has to be CHANNEL/TOPIC", cfg.Channel)
	}
	u.Path, u.RawPath = messagesPath, ""
	header := http.Header{"Content-Type": {"application/x-www-form-urlencoded"}}
	if cfg.Username != "" || cfg.Password != "" {
		header.Set("Authorization", httpx.BasicAuth(cfg.Username, cfg.Password))
	}
	return &sender{client: cfg.Client, address: u.String(), channel: channel, topic: topic, header: header}, nil
}

// Send implements [provider.Sender].
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	size := func(c chat.Content) int { return chat.Characters(chat.Markdown(&n.Event, c)) }
	form := url.Values{
		"type":    {"stream"},
		"to":      {s.channel},
		"topic":   {s.topic},
		"content": {chat.Markdown(&n.Event, chat.Fit(&n.Event, maxContent, size))},
	}
	request := httpx.Request{URL: s.address, Header: s.header, Body: []byte(form.Encode())}
	return chat.Send(ctx, s.client, request, verdict)
}

// verdict goes by the status, and by the result in the body in case there is something in between that changes it.
//
// Source: https://zulip.com/api/rest-error-handling
func verdict(a *httpx.Answer, now time.Time) error {
	said := chat.Decode[struct {
		Result     string  `json:"result"`
		Message    string  `json:"msg"`
		RetryAfter float64 `json:"retry-after"`
	}](a)
	if err := chat.StatusError(a, now, said.RetryAfter); err != nil {
		return err
	}
	if said.Result == "error" {
		return provider.Permanentf(provider.ReasonRejected, "Zulip responded with error: %s", httpx.Quote([]byte(said.Message)))
	}
	return nil
}
