package git_test

import (
	"context"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

// shows is a host that shows one status.
type shows git.Shown

func (s shows) Shown(context.Context, git.Status, string) (git.Shown, error) {
	return git.Shown(s), nil
}

func (s shows) Set(context.Context, git.Status) error { return nil }

// TestStatusIsRememberedShort has an event and the host describe a status at any length, and then only the host.
func TestStatusIsRememberedShort(t *testing.T) {
	long := strings.Repeat("x", 1<<20)
	states := provider.NewStates(10, false)
	s := &git.StatusSender{Host: shows{State: "ok", Description: long}, Words: git.Words{Success: "ok"}, States: states}
	n := &provider.Notification{StatusID: "id", Event: event.Event{Severity: "info", Reason: long, Metadata: map[string]string{"commit": strings.Repeat("a", 40)}}}
	for range 2 {
		if err := s.Send(t.Context(), n); err != nil {
			t.Fatal(err)
		}
		known := states.Get(strings.Repeat("a", 40) + " id ")
		if !known.Known || len(known.Value) > 100 {
			t.Errorf("known %t, %d bytes are remembered", known.Known, len(known.Value))
		}
		n.Event.Reason = "other"
	}
}
