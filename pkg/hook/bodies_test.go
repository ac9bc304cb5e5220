package hook

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/types"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/server"
)

// smallBody is at most what is read of a body in any case.
const smallBody = 64 << 10

// strangers hold half bodies for Receivers.
type strangers struct {
	t    *testing.T
	f    *fixture
	open sync.WaitGroup
	ends []io.Closer
}

// hold sends so much of a body to a path, which has been counted when it returns.
func (s *strangers) hold(path string, length int) {
	s.t.Helper()
	body, rest := io.Pipe()
	s.open.Go(func() {
		if got := s.f.do(push(withTarget(path), withBody(body, -1))); got.status != http.StatusUnauthorized {
			s.t.Errorf("a slow one: %d %q", got.status, got.text)
		}
	})
	// What is written has been counted when the next is read, be it nothing.
	for _, part := range []string{strings.Repeat("x", length), ""} {
		if _, err := io.WriteString(rest, part); err != nil {
			s.t.Fatal(err)
		}
	}
	s.ends = append(s.ends, rest)
}

// leave ends the bodies.
func (s *strangers) leave() {
	s.t.Helper()
	for _, end := range s.ends {
		if err := end.Close(); err != nil {
			s.t.Fatal(err)
		}
	}
	s.open.Wait()
}

// longPush is one that is not authentic, but is known to be only when it has been read.
func longPush(path string) *http.Request {
	return push(withTarget(path), withBody(strings.NewReader(strings.Repeat("x", server.MaxBody)), server.MaxBody))
}

// TestSlowCallers has strangers hold as many half bodies for a Receiver, and for those of a namespace, as they can: they
// keep out only long ones, and only of the same.
func TestSlowCallers(t *testing.T) {
	const callers = 4 // for each Receiver
	for _, test := range []struct {
		name string
		// slow is how many Receivers of the namespace have slow callers, which take what is there for one.
		slow int
		// status is of a long call to a Receiver of the namespace that has none.
		status int
	}{
		{"one Receiver", 1, http.StatusUnauthorized},
		{"all that there is for a namespace", maxNamespaceBodies / maxReceiverBodies, http.StatusServiceUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			var all []*v1.Receiver
			var paths []string
			for i := range test.slow + 2 {
				r := receiver(func(r *v1.Receiver) {
					r.Name = fmt.Sprint("r", i)
					r.UID = types.UID(r.Name)
					if i == test.slow+1 {
						r.Namespace = "other"
					}
					r.Status.WebhookPath = r.WebhookPathFor(token)
				})
				all, paths = append(all, r), append(paths, r.Status.WebhookPath)
			}
			f := newFixture(t, all...)
			f.secrets["other/"+theSecret] = f.secrets[theNamespace+"/"+theSecret]
			neighbour, foreign := paths[test.slow], paths[test.slow+1]
			s := &strangers{t: t, f: f}
			for _, path := range paths[:test.slow] {
				for range callers {
					s.hold(path, smallBody+maxReceiverBodies/callers)
				}
			}
			if got := f.do(longPush(paths[0])); got.status != http.StatusServiceUnavailable || got.header.Get("Retry-After") == "" {
				t.Errorf("the same Receiver: %d %q %v", got.status, got.text, got.header)
			}
			if got := f.do(longPush(neighbour)); got.status != test.status {
				t.Errorf("another Receiver of the namespace: %d %q", got.status, got.text)
			}
			if got := f.do(longPush(foreign)); got.status != http.StatusUnauthorized {
				t.Errorf("another namespace: %d %q", got.status, got.text)
			}
			for _, path := range paths[:test.slow+1] {
				if got := f.do(push(withTarget(path))); got.status != http.StatusAccepted {
					t.Errorf("an ordinary push: %d %q", got.status, got.text)
				}
			}
			s.leave()
			if got := f.do(longPush(paths[0])); got.status != http.StatusUnauthorized {
				t.Errorf("the same Receiver later: %d %q", got.status, got.text)
			}
			if receivers, namespaces := f.receiverBodies.Len(), f.namespaceBodies.Len(); receivers+namespaces != 0 {
				t.Errorf("shares of %d Receivers and %d namespaces are kept that are not called", receivers, namespaces)
			}
		})
	}
}
