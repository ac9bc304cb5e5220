// Package msteams posts cards to Microsoft Teams: an Adaptive Card to a workflow, or a MessageCard to a connector of
// Microsoft 365, which is what webhooks were before.
//
// Source: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using
package msteams

import (
	"net/url"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// connectorDomain is where all connectors are.
const connectorDomain = ".webhook.office.com"

// maxMessage is what Teams takes in one message, 28 KB, in characters of two bytes: it was seen to count so, which
// costs a message of ASCII half of the room.
//
// Sources: https://learn.microsoft.com/en-us/microsoftteams/limits-specifications-teams,
// https://github.com/MicrosoftDocs/msteams-docs/issues/2574
const maxMessage = 28 << 10 / 2

// New returns a Sender of type msteams. The error names what to change: the address.
func New(cfg provider.Config) (provider.Sender, error) {
	if isConnector(cfg.Address) {
		return newSender(cfg, newConnectorCard)
	}
	return newSender(cfg, newAdaptiveCard)
}

func newSender(cfg provider.Config, card func(*event.Event, chat.Content) any) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	return &chat.Poster{
		Client: cfg.Client,
		URL:    cfg.Address,
		Message: func(e *event.Event) any {
			size := func(c chat.Content) int { return chat.Characters(chat.JSON(card(e, c))) }
			return card(e, chat.Fit(e, maxMessage, size))
		},
		Verdict: verdict,
	}, nil
}

// isConnector says whether an address is that of a connector.
func isConnector(address string) bool {
	u, err := url.Parse(address)
	return err == nil && strings.HasSuffix(u.Hostname(), connectorDomain)
}
