package app

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/server"
)

// TestBodiesOfEvents has senders whose events have been read and not been answered.
func TestBodiesOfEvents(t *testing.T) {
	const first = 64 << 10 // of each body, which does not count
	type holding struct {
		err    error
		answer chan struct{}
	}
	held := make(chan holding)
	handler := limitEvents(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		_, err := io.Copy(io.Discard, r.Body)
		h := holding{err, make(chan struct{})}
		held <- h
		<-h.answer
	}))
	send := func(address string, length int) error {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(strings.Repeat("x", length)))
		r.RemoteAddr = address
		go handler.ServeHTTP(httptest.NewRecorder(), r)
		h := <-held
		t.Cleanup(func() { close(h.answer) })
		return h.err
	}
	for _, step := range []struct {
		name, address string
		length        int
		want          error
	}{
		{"all of a sender", "192.0.2.1:1", maxSenderBodies + first, nil},
		{"no more of it", "192.0.2.1:2", first + 1, server.ErrBusy},
		{"a small one", "192.0.2.1:3", first, nil},
		{"another", "192.0.2.2:1", maxSenderBodies + first, nil},
		{"the third", "192.0.2.3:1", maxSenderBodies + first, nil},
		// A little was taken by the one that was refused.
		{"almost all that is left", "192.0.2.4:1", maxSenderBodies, nil},
		{"no more of anybody", "192.0.2.5:1", 2 * first, server.ErrBusy},
		{"a small one of anybody", "192.0.2.5:2", first, nil},
	} {
		if err := send(step.address, step.length); !errors.Is(err, step.want) {
			t.Errorf("%s: %v", step.name, err)
		}
	}
}
