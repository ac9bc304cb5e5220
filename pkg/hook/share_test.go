package hook

import (
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

// TestSlowCallersOfOneReceiver has strangers hold as many half bodies for a Receiver as they can: they keep out only each
// other.
func TestSlowCallersOfOneReceiver(t *testing.T) {
	other := receiver(func(r *v1.Receiver) {
		r.Name, r.UID = "other", "other"
		r.Status.WebhookPath = r.WebhookPathFor(token)
	})
	f := newFixture(t, receiver(), other)
	var slow sync.WaitGroup
	var ends []io.Closer
	const callers = 4
	for range callers {
		body, rest := io.Pipe()
		ends = append(ends, rest)
		slow.Go(func() {
			if got := f.do(push(withBody(body, -1))); got.status != http.StatusUnauthorized {
				t.Errorf("a slow one: %d %q", got.status, got.text)
			}
		})
		// What is written has been counted when the next is read, be it nothing.
		for _, part := range []string{strings.Repeat("x", maxReceiverBodies/callers), ""} {
			if _, err := rest.Write([]byte(part)); err != nil {
				t.Fatal(err)
			}
		}
	}
	if got := f.do(push()); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
		t.Errorf("the same Receiver: %d %q %v", got.status, got.text, got.header)
	}
	if got := f.do(push(withTarget(other.Status.WebhookPath))); got.status != http.StatusAccepted {
		t.Errorf("another Receiver: %d %q", got.status, got.text)
	}
	for _, end := range ends {
		if err := end.Close(); err != nil {
			t.Fatal(err)
		}
	}
	slow.Wait()
	if got := f.do(push()); got.status != http.StatusAccepted {
		t.Errorf("the same Receiver later: %d %q", got.status, got.text)
	}
	if len(f.shares.receivers) != 0 {
		t.Errorf("%d shares are kept of none that is called", len(f.shares.receivers))
	}
}
