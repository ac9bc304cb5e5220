// Package attachment holds the message with one attachment that Slack came up with and other services take as well.
// Its text is in the attachment only.
//
// Source: https://docs.slack.dev/legacy/legacy-messaging/legacy-secondary-message-attachments
package attachment

import (
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// Colors that the format has a name for.
const (
	ColorGood   = "good"
	ColorDanger = "danger"
)

// Message is a message with its sender's name and picture.
type Message struct {
	Channel     string       `json:"channel"`
	Username    string       `json:"username"`
	IconURL     string       `json:"icon_url"`
	IconEmoji   string       `json:"icon_emoji"`
	Attachments []Attachment `json:"attachments"`
}

// Attachment is the part of a message that shows an event.
type Attachment struct {
	// Fallback is what clients show that cannot show attachments, and what notifications on phones say.
	Fallback string `json:"fallback"`
	// Color of the line beside the attachment, a name or in hexadecimal.
	Color      string `json:"color"`
	AuthorName string `json:"author_name"`
	Text       string `json:"text"`
	// MarkdownIn names the fields in which Slack's markup counts.
	MarkdownIn []string `json:"mrkdwn_in"`
	Fields     []Field  `json:"fields"`
}

// Field is an entry of metadata.
type Field struct {
	Title string `json:"title"`
	Value string `json:"value"`
	// Short fields stand side by side.
	Short bool `json:"short"`
}

// New returns a message that shows content under the name of the event's object.
func New(e *event.Event, content chat.Content, color string) Message {
	fields := make([]Field, 0, len(content.Metadata))
	for _, entry := range content.Metadata {
		fields = append(fields, Field{Title: entry.Key, Value: entry.Value})
	}
	return Message{Attachments: []Attachment{{
		Color:      color,
		AuthorName: e.InvolvedObject.Dotted(),
		Text:       content.Message,
		MarkdownIn: []string{"text"},
		Fields:     fields,
	}}}
}
