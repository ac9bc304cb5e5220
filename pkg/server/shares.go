package server

import (
	"net"
	"net/http"
	"sync"
)

// Shares bounds what the bodies of requests with the same key take together, as [Bodies] does for all of them: so nobody
// takes what is there for everybody. It is safe for concurrent use.
type Shares struct {
	limit int64

	mu sync.Mutex
	// used are those of the requests under way, by key.
	used map[string]*share
}

type share struct {
	bodies   *Bodies
	requests int
}

// NewShares returns Shares of at most limit bytes for each key.
func NewShares(limit int64) *Shares { return &Shares{limit: limit, used: map[string]*share{}} }

// Count has the body of a request count for a key until release is called. Reading it can be [ErrBusy].
func (s *Shares) Count(key string, r *http.Request) (release func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	own := s.used[key]
	if own == nil {
		own = &share{bodies: NewBodies(s.limit)}
		s.used[key] = own
	}
	own.requests++
	end := own.bodies.Count(r)
	return func() {
		end()
		s.mu.Lock()
		defer s.mu.Unlock()
		if own.requests--; own.requests == 0 {
			delete(s.used, key)
		}
	}
}

// LimitHosts returns a handler whose requests count for the host that they come from until they have been answered.
func (s *Shares) LimitHosts(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host, _, err := net.SplitHostPort(r.RemoteAddr)
		if err != nil {
			host = r.RemoteAddr // Not from a listener of TCP.
		}
		defer s.Count(host, r)()
		next.ServeHTTP(w, r)
	})
}

// Len is the number of keys with a request under way.
func (s *Shares) Len() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.used)
}
