// Package googlechat posts cards to a space of Google Chat through a webhook.
//
// Source: https://developers.google.com/workspace/chat/quickstart/webhooks
package googlechat

import (
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// maxMessage is how many bytes a message may have.
//
// Source: https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages/create
const maxMessage = 32_000

// New returns a Sender of type googlechat. The error names what to change: the address.
func New(cfg provider.Config) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	return &chat.Poster{Client: cfg.Client, URL: cfg.Address, Message: fitted}, nil
}

// fitted returns a message within the limit.
func fitted(e *event.Event) any {
	size := func(c chat.Content) int { return len(chat.JSON(newMessage(e, c))) }
	return newMessage(e, chat.Fit(e, maxMessage, size))
}
