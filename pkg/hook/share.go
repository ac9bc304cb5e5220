package hook

import (
	"net/http"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/server"
)

// maxReceiverBodies is what the bodies of the calls to one Receiver may take together, in bytes: few enough that its callers,
// of whom most types know only when they have read the body, cannot keep those of others out.
const maxReceiverBodies = 8 << 20

// shares bounds the bodies of each Receiver. It is safe for concurrent use.
type shares struct {
	mu sync.Mutex
	// receivers are those that are being called.
	receivers map[types.UID]*share
}

type share struct {
	bodies *server.Bodies
	calls  int
}

func newShares() *shares { return &shares{receivers: map[types.UID]*share{}} }

// count has the body of a call count until leave is called. Reading it can be [server.ErrBusy].
func (s *shares) count(receiver types.UID, r *http.Request) (leave func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.receivers[receiver]
	if own == nil {
		own = &share{bodies: server.NewBodies(maxReceiverBodies)}
		s.receivers[receiver] = own
	}
	own.calls++
	release := own.bodies.Count(r)
	return func() {
		release()
		s.mu.Lock()
		defer s.mu.Unlock()
		if own.calls--; own.calls == 0 {
			delete(s.receivers, receiver)
		}
	}
}
