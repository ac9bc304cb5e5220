package slack

import (
	"strings"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// message is a message with one attachment. Its text is in the attachment only.
//
// Source: https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments
type message struct {
	Channel     string       `json:"channel"`
	Username    string       `json:"username"`
	IconURL     string       `json:"icon_url"`
	IconEmoji   string       `json:"icon_emoji"`
	Attachments []attachment `json:"attachments"`
}

type attachment struct {
	// Fallback is what clients show that cannot show attachments, and what notifications on phones say.
	Fallback   string `json:"fallback"`
	Color      string `json:"color"`
	AuthorName string `json:"author_name"`
	Text       string `json:"text"`
	// MarkdownIn names the fields in which Slack's markup counts.
	MarkdownIn []string `json:"mrkdwn_in"`
	Fields     []field  `json:"fields"`
}

type field struct {
	Title string `json:"title"`
	Value string `json:"value"`
	Short bool   `json:"short"`
}

func newMessage(e *event.Event, channel, username string) message {
	if username == "" {
		username = e.ReportingController
	}
	color := "good"
	if e.IsError() {
		color = "danger"
	}
	object := e.InvolvedObject.Dotted()
	firstLine, _, _ := strings.Cut(e.Message, "\n")
	fields := make([]field, 0, len(e.Metadata))
	for _, key := range event.SortedKeys(e.Metadata) {
		fields = append(fields, field{Title: key, Value: e.Metadata[key]})
	}
	return message{
		Channel:  channel,
		Username: username,
		Attachments: []attachment{{
			Fallback:   object + ": " + firstLine,
			Color:      color,
			AuthorName: object,
			Text:       e.Message,
			MarkdownIn: []string{"text"},
			Fields:     fields,
		}},
	}
}
