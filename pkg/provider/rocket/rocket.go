// Package rocket posts messages to Rocket.Chat through an incoming webhook, which takes messages like Slack's.
//
// Rocket.Chat limits the characters of a message's text, which is empty here, and not those of attachments.
//
// Sources: https://docs.rocket.chat/docs/integrations,
// https://docs.rocket.chat/use-rocket.chat/workspace-administration/settings/message
package rocket

import (
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/attachment"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// Colors of a message.
const (
	red  = "#FF0000"
	blue = "#0076D7"
)

// New returns a Sender of type rocket. The error names what to change: the address.
func New(cfg provider.Config) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	return &chat.Poster{
		Client:  cfg.Client,
		URL:     cfg.Address,
		Message: func(e *event.Event) any { return newMessage(e, cfg.Channel, cfg.Username) },
	}, nil
}

func newMessage(e *event.Event, channel, username string) attachment.Message {
	m := attachment.New(e, chat.NewContent(e), chat.Pick(e, red, blue))
	m.Channel = channel
	m.Username = username
	return m
}
