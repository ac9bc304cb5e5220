package chat

import (
	"fmt"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// Markdown returns the content as a section of Markdown, as chats and change requests show it. It leaves out the
// number of a change request, which is where the section goes.
func Markdown(e *event.Event, c Content) string {
	shown := Content{Message: c.Message}
	for _, entry := range c.Metadata {
		if entry.Key != event.KeyChangeRequest {
			shown.Metadata = append(shown.Metadata, entry)
		}
	}
	return fmt.Sprintf("## Flux Status\n\n%s %s\n\n%s\n\nMetadata:\n%s",
		Pick(e, "⚠️", "ℹ️"), e.InvolvedObject, shown.Message, shown.Lines("* `%s`: %s\n"))
}
