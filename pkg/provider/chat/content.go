// Package chat holds what senders to chat services share: what a message shows of an event, how that is made to fit
// the limits of a service, and how answers are read that say more than their status.
package chat

import (
	"fmt"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// Content is what a message shows of an event, beside its object.
type Content struct {
	Message string
	// Metadata is in the order in which it is shown.
	Metadata []Entry
}

// Entry is one entry of an event's metadata.
type Entry struct{ Key, Value string }

// NewContent returns all that there is to show, the metadata sorted by key.
func NewContent(e *event.Event) Content {
	content := Content{Message: e.Message}
	for _, key := range event.SortedKeys(e.Metadata) {
		content.Metadata = append(content.Metadata, Entry{key, e.Metadata[key]})
	}
	return content
}

// Lines writes the metadata by a format for key and value, which ends in a newline.
func (c Content) Lines(format string) string {
	var lines strings.Builder
	for _, entry := range c.Metadata {
		fmt.Fprintf(&lines, format, entry.Key, entry.Value)
	}
	return lines.String()
}

// Pick returns what marks a failure, or else what marks everything else: an emoji, a color.
func Pick(e *event.Event, failure, other string) string {
	if e.IsError() {
		return failure
	}
	return other
}
