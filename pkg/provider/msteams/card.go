package msteams

import (
	"slices"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// adaptiveMessage is a message with one Adaptive Card. The version is the latest that Teams knows.
//
// Sources: https://adaptivecards.io/explorer/,
// https://learn.microsoft.com/en-us/microsoftteams/platform/task-modules-and-cards/cards/cards-format
type adaptiveMessage struct {
	Type        string               `json:"type"`
	Attachments []adaptiveAttachment `json:"attachments"`
}

type adaptiveAttachment struct {
	ContentType string       `json:"contentType"`
	Content     adaptiveCard `json:"content"`
}

type adaptiveCard struct {
	Schema  string      `json:"$schema"`
	Type    string      `json:"type"`
	Version string      `json:"version"`
	Body    []container `json:"body"`
	MSTeams teamsWidth  `json:"msteams"`
}

// teamsWidth says how wide Teams shows a card.
type teamsWidth struct {
	Width string `json:"width"`
}

type container struct {
	Type string `json:"type"`
	// Items are of type textBlock or factSet.
	Items []any `json:"items"`
}

type textBlock struct {
	Type   string `json:"type"`
	Text   string `json:"text,omitempty"`
	Size   string `json:"size,omitempty"`
	Weight string `json:"weight,omitempty"`
	Color  string `json:"color,omitempty"`
	Wrap   bool   `json:"wrap"`
}

type factSet struct {
	Type  string         `json:"type"`
	Facts []adaptiveFact `json:"facts,omitempty"`
}

type adaptiveFact struct {
	Title string `json:"title"`
	Value string `json:"value"`
}

func newAdaptiveCard(e *event.Event, content chat.Content) any {
	var facts []adaptiveFact
	for _, entry := range summaryFirst(content.Metadata) {
		facts = append(facts, adaptiveFact{entry.Key, entry.Value})
	}
	items := []any{
		textBlock{Type: "TextBlock", Text: e.InvolvedObject.Dotted(), Size: "large", Weight: "bolder", Wrap: true},
		textBlock{Type: "TextBlock", Text: content.Message, Color: chat.Pick(e, "attention", ""), Wrap: true},
		factSet{Type: "FactSet", Facts: facts},
	}
	return adaptiveMessage{Type: "message", Attachments: []adaptiveAttachment{{
		ContentType: "application/vnd.microsoft.card.adaptive",
		Content: adaptiveCard{
			Schema:  "http://adaptivecards.io/schemas/adaptive-card.json",
			Type:    "AdaptiveCard",
			Version: "1.4",
			Body:    []container{{Type: "Container", Items: items}},
			MSTeams: teamsWidth{Width: "Full"},
		},
	}}}
}

// summaryFirst returns the entries in the order of a card's facts.
func summaryFirst(entries []chat.Entry) []chat.Entry {
	i := slices.IndexFunc(entries, func(entry chat.Entry) bool { return entry.Key == event.KeySummary })
	if i < 0 {
		return entries
	}
	return slices.Concat(entries[i:i+1], entries[:i], entries[i+1:])
}

// connectorCard is a MessageCard.
//
// Source: https://learn.microsoft.com/en-us/outlook/actionable-messages/message-card-reference
type connectorCard struct {
	Type       string             `json:"@type"`
	Context    string             `json:"@context"`
	ThemeColor string             `json:"themeColor"`
	Summary    string             `json:"summary"`
	Sections   []connectorSection `json:"sections"`
}

type connectorSection struct {
	ActivityTitle    string          `json:"activityTitle"`
	ActivitySubtitle string          `json:"activitySubtitle"`
	Facts            []connectorFact `json:"facts"`
}

type connectorFact struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

func newConnectorCard(e *event.Event, content chat.Content) any {
	facts := make([]connectorFact, 0, len(content.Metadata))
	for _, entry := range content.Metadata {
		facts = append(facts, connectorFact{entry.Key, entry.Value})
	}
	object := e.InvolvedObject.Dotted()
	return connectorCard{
		Type:       "MessageCard",
		Context:    "http://schema.org/extensions",
		ThemeColor: chat.Pick(e, "FF0000", "0076D7"),
		Summary:    object,
		Sections:   []connectorSection{{ActivityTitle: content.Message, ActivitySubtitle: object, Facts: facts}},
	}
}
