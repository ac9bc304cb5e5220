package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

// Limits of a dispatch, in characters.
//
// Source: https://docs.github.com/en/actions/reference/workflows-and-actions/events-that-trigger-workflows#repository_dispatch
const (
	maxEventType = 100
	maxPayload   = 65_535
)

// dispatcher starts the workflows of a repository.
type dispatcher struct{ *repository }

// NewDispatch returns a Sender of type githubdispatch, which starts workflows with the event as their payload. The
// address is that of a repository. The error names what to change: the address, or a key of the Secret.
func NewDispatch(cfg provider.Config) (provider.Sender, error) {
	r, err := newRepository(cfg)
	if err != nil {
		return nil, err
	}
	return dispatcher{r}, nil
}

// dispatch is what starts workflows.
type dispatch struct {
	EventType string      `json:"event_type"`
	Payload   event.Event `json:"client_payload"`
}

// Send implements [provider.Sender].
func (d dispatcher) Send(ctx context.Context, n *provider.Notification) error {
	o := n.Event.InvolvedObject
	_, err := d.client.Do(ctx, git.Call{
		Method: http.MethodPost,
		Path:   d.path + "/dispatches",
		In: dispatch{
			EventType: provider.CutRunes(fmt.Sprintf("%s/%s.%s", o.Kind, o.Name, o.Namespace), maxEventType),
			Payload:   fit(n.Event),
		},
	})
	if err != nil {
		return fmt.Errorf("could not send github repository dispatch webhook: %w", err)
	}
	return nil
}

// fit returns the event with what is too long of it cut.
func fit(e event.Event) event.Event {
	fitted := func(c chat.Content) event.Event {
		shown := e
		shown.Message, shown.Metadata = c.Message, make(map[string]string, len(c.Metadata))
		for _, entry := range c.Metadata {
			shown.Metadata[entry.Key] = entry.Value
		}
		return shown
	}
	return fitted(chat.Fit(&e, maxPayload, func(c chat.Content) int { return chat.Characters(chat.JSON(fitted(c))) }))
}
