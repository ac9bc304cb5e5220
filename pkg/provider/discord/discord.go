// Package discord posts messages to Discord through a webhook, in the form that it takes from senders to Slack.
//
// Source: https://discord.com/developers/docs/resources/webhook#execute-slackcompatible-webhook
package discord

import (
	"cmp"
	"net/url"
	"path"
	"strconv"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/attachment"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// What Discord takes, in characters. An attachment becomes an embed, and one that is too long is refused.
//
// Sources: https://discord.com/developers/docs/resources/message#embed-object-embed-limits,
// https://discord.com/developers/docs/resources/webhook#execute-webhook
const (
	maxUsername = 80
	maxAuthor   = 256
	maxText     = 4096
	maxFields   = 25
	maxTitle    = 256
	maxValue    = 1024
	// maxTotal is of all of the above but the username.
	maxTotal = 6000
)

// slackPath is the end of a webhook's path under which it takes messages in the form of Slack's.
const slackPath = "slack"

// New returns a Sender of type discord. The error names what to change: the address.
func New(cfg provider.Config) (provider.Sender, error) {
	u, err := httpx.ParseURL(cfg.Address)
	if err != nil {
		return nil, err
	}
	return &chat.Poster{
		Client:  cfg.Client,
		URL:     slackAddress(u),
		Message: func(e *event.Event) any { return newMessage(e, cfg.Username) },
		Verdict: verdict,
	}, nil
}

// slackAddress returns the address under which a webhook takes messages in the form of Slack's.
func slackAddress(webhook *url.URL) string {
	if path.Base(webhook.Path) == slackPath {
		return webhook.String()
	}
	return webhook.JoinPath(slackPath).String()
}

func newMessage(e *event.Event, username string) attachment.Message {
	author := provider.CutRunes(e.InvolvedObject.Dotted(), maxAuthor)
	limits := chat.Limits{
		Message: maxText,
		Key:     maxTitle,
		Value:   maxValue,
		Entries: maxFields,
		Total:   maxTotal - chat.Characters(author),
		Size:    characters,
	}
	color := chat.Pick(e, attachment.ColorDanger, attachment.ColorGood)
	m := attachment.New(e, limits.Fit(chat.NewContent(e)), color)
	m.Attachments[0].AuthorName = author
	m.Username = provider.CutRunes(cmp.Or(username, e.ReportingController), maxUsername)
	return m
}

func characters(c chat.Content) int {
	count := chat.Characters(c.Message)
	for _, entry := range c.Metadata {
		count += chat.Characters(entry.Key) + chat.Characters(entry.Value)
	}
	return count
}

// verdict goes by the status. With a 429 the time to wait is also in the body or in a header of Discord's own.
//
// Source: https://discord.com/developers/docs/topics/rate-limits
func verdict(a *httpx.Answer, now time.Time) error {
	seconds := chat.Decode[struct {
		RetryAfter float64 `json:"retry_after"`
	}](a).RetryAfter
	if seconds == 0 {
		// A value that is no number counts as none.
		seconds, _ = strconv.ParseFloat(a.Header.Get("X-RateLimit-Reset-After"), 64)
	}
	return chat.StatusError(a, now, seconds)
}
