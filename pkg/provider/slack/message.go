package slack

import (
	"cmp"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider/attachment"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// What Slack takes. It cuts what is longer by itself, but does not show that it did. Not all of it is in its reference.
const (
	// maxText is of an attachment's text (https://github.com/integrations/slack/issues/812).
	maxText = 8000
	// maxValue is of a field's value (https://api.slack.com/legacy/interactive-message-field-guide,
	// https://github.com/Seldaek/monolog/pull/1311).
	maxValue = 2000
	// maxFields is what Slack says of blocks, which stand for fields in newer messages
	// (https://docs.slack.dev/reference/block-kit/blocks).
	maxFields = 50
)

func newMessage(e *event.Event, channel, username string) attachment.Message {
	limits := chat.Limits{Message: maxText, Value: maxValue, Entries: maxFields}
	color := chat.Pick(e, attachment.ColorDanger, attachment.ColorGood)
	m := attachment.New(e, limits.Fit(chat.NewContent(e)), color)
	m.Channel = channel
	m.Username = cmp.Or(username, e.ReportingController)
	shown := &m.Attachments[0]
	firstLine, _, _ := strings.Cut(shown.Text, "\n")
	shown.Fallback = shown.AuthorName + ": " + firstLine
	return m
}
