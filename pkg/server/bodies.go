package server

import (
	"errors"
	"io"
	"net/http"
	"sync/atomic"
)

// ErrBusy is why a body was not read whole: those of other requests take all the memory that there is for them.
var ErrBusy = errors.New("too many requests are under way")

// smallBody is how much of each body does not count, so that an ordinary event or push is read while long bodies take all
// that there is for them. It is bounded nevertheless: a server has maxConnections, with one request each, which is 64 MiB.
const smallBody = 64 << 10

// Bodies bounds what the bodies of requests take together beyond smallBody each, in bytes as they were sent, which is up to
// twice that in memory: a body that comes slowly is held for as long as it takes. It is safe for concurrent use.
type Bodies struct{ left atomic.Int64 }

// NewBodies returns Bodies of at most limit bytes.
func NewBodies(limit int64) *Bodies {
	b := &Bodies{}
	b.left.Store(limit)
	return b
}

// Limit returns a handler whose requests count until they have been answered. Reading a body for which nothing is left is
// [ErrBusy].
func (b *Bodies) Limit(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		defer b.Count(r)()
		next.ServeHTTP(w, r)
	})
}

// Count has the body of one request count until release is called.
func (b *Bodies) Count(r *http.Request) (release func()) {
	body := &countedBody{ReadCloser: r.Body, bodies: b}
	r.Body = body
	return body.release
}

// countedBody is used by one goroutine.
type countedBody struct {
	io.ReadCloser
	bodies *Bodies
	// read is how much has been read, taken how much of that counts.
	read, taken int64
	busy        bool
}

// Read implements [io.Reader].
func (b *countedBody) Read(p []byte) (int, error) {
	if b.busy {
		return 0, ErrBusy
	}
	n, err := b.ReadCloser.Read(p)
	b.read += int64(n)
	if more := b.read - smallBody - b.taken; more > 0 {
		b.taken += more
		b.busy = b.bodies.left.Add(-more) < 0
	}
	if b.busy {
		return 0, ErrBusy
	}
	return n, err
}

func (b *countedBody) release() { b.bodies.left.Add(b.taken) }
