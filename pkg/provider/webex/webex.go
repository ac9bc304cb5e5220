// Package webex posts messages to a Webex space as a bot.
//
// Source: https://developer.webex.com/docs/api/v1/messages/create-a-message
package webex

import (
	"fmt"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// maxMarkdown is how many bytes a message may have (see the page above).
const maxMarkdown = 7439

type message struct {
	RoomID   string `json:"roomId,omitempty"`
	Markdown string `json:"markdown,omitempty"`
}

// New returns a Sender of type webex. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	header, err := httpx.TokenHeader("Authorization", "Bearer "+cfg.Token)
	if err != nil {
		return nil, err
	}
	return &chat.Poster{
		Client:  cfg.Client,
		URL:     cfg.Address,
		Header:  header,
		Message: func(e *event.Event) any { return newMessage(e, cfg.Channel) },
		Verdict: verdict,
	}, nil
}

func newMessage(e *event.Event, room string) message {
	size := func(c chat.Content) int { return len(markdown(e, c)) }
	return message{RoomID: room, Markdown: markdown(e, chat.Fit(e, maxMarkdown, size))}
}

func markdown(e *event.Event, c chat.Content) string {
	return fmt.Sprintf("%s **%s**\n%s\n%s", chat.Pick(e, "💣", "✅"), e.InvolvedObject.Dotted(), c.Message, c.Lines(">**%s**: %s\n"))
}

// verdict goes by the status, unless the answer is a list of errors whatever that is.
//
// Source: https://developer.webex.com/docs/basics
func verdict(a *httpx.Answer, now time.Time) error {
	if err := httpx.StatusError(a, now); err != nil {
		return err
	}
	said := chat.Decode[struct {
		Errors []struct {
			Description string `json:"description"`
		} `json:"errors"`
	}](a)
	if len(said.Errors) > 0 {
		return provider.Permanentf(provider.ReasonRejected, "Webex responded with error: %s", httpx.Quote([]byte(said.Errors[0].Description)))
	}
	return nil
}
