package hook

import (
	"errors"
	"sync"
	"time"
)

const (
	// maxTurns is how many authentic calls to the Receivers of a namespace are worked on at a time. Nothing in that waits, so
	// that with the Deployment's one CPU more would not be faster; but each may take 150 MiB, for a long body that filters see.
	maxTurns = 2
	// turnLimit is how long others wait: not so long that their senders hang up, and as long as filters may take.
	turnLimit = filterLimit
)

// errNoTurn is about a call that has waited for turnLimit.
var errNoTurn = errors.New("too many calls to the Receivers of the namespace are being worked on")

// turns has calls wait for those of the same namespace. It is safe for concurrent use.
type turns struct {
	mu sync.Mutex
	// namespaces are those with a call that has a turn or waits for one.
	namespaces map[string]*turn
}

type turn struct {
	taken chan struct{}
	calls int
}

func newTurns() *turns { return &turns{namespaces: map[string]*turn{}} }

// take waits for a turn, which ends with done. It can be errNoTurn.
func (t *turns) take(namespace string) (done func(), err error) {
	own := t.join(namespace)
	select {
	case own.taken <- struct{}{}:
		return func() {
			<-own.taken
			t.leave(namespace, own)
		}, nil
	case <-time.After(turnLimit):
		t.leave(namespace, own)
		return nil, errNoTurn
	}
}

func (t *turns) join(namespace string) *turn {
	t.mu.Lock()
	defer t.mu.Unlock()
	own := t.namespaces[namespace]
	if own == nil {
		own = &turn{taken: make(chan struct{}, maxTurns)}
		t.namespaces[namespace] = own
	}
	own.calls++
	return own
}

func (t *turns) leave(namespace string, own *turn) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if own.calls--; own.calls == 0 {
		delete(t.namespaces, namespace)
	}
}
