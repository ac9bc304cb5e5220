package googlechat

import (
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// message is a message with one card of the first version. What a card does not have is null.
//
// Source: https://developers.google.com/workspace/chat/api/reference/rest/v1/spaces.messages#card
type message struct {
	Cards []card `json:"cards"`
}

type card struct {
	Header   cardHeader `json:"header"`
	Sections []section  `json:"sections"`
}

type cardHeader struct {
	Title      string  `json:"title"`
	Subtitle   string  `json:"subtitle"`
	ImageURL   *string `json:"imageUrl"`
	ImageStyle *string `json:"imageStyle"`
}

type section struct {
	Header  string   `json:"header"`
	Widgets []widget `json:"widgets"`
}

// widget is one of the two.
type widget struct {
	TextParagraph *textParagraph `json:"textParagraph"`
	KeyValue      *keyValue      `json:"keyValue"`
}

type textParagraph struct {
	Text string `json:"text"`
}

type keyValue struct {
	TopLabel         string  `json:"topLabel"`
	Content          string  `json:"content"`
	ContentMultiline bool    `json:"contentMultiline"`
	BottomLabel      *string `json:"bottomLabel"`
	Icon             *string `json:"icon"`
}

func newMessage(e *event.Event, content chat.Content) message {
	text := content.Message
	if e.IsError() {
		text = `<font color="#ff0000">` + text + `</font>`
	}
	sections := []section{{Widgets: []widget{{TextParagraph: &textParagraph{text}}}}}
	if len(content.Metadata) > 0 {
		var widgets []widget
		for _, entry := range content.Metadata {
			widgets = append(widgets, widget{KeyValue: &keyValue{TopLabel: entry.Key, Content: entry.Value}})
		}
		sections = append(sections, section{Widgets: widgets})
	}
	return message{Cards: []card{{
		Header:   cardHeader{Title: e.InvolvedObject.Dotted(), Subtitle: e.ReportingController},
		Sections: sections,
	}}}
}
