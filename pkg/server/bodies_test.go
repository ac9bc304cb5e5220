package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// slowBodies holds requests under way whose bodies do not end.
type slowBodies struct {
	t       *testing.T
	handler http.Handler
	ends    []io.Closer
	codes   chan int
}

// holdBodies holds requests to a handler.
func holdBodies(t *testing.T, handler http.Handler) *slowBodies {
	return &slowBodies{t: t, handler: handler, codes: make(chan int, 100)}
}

// add sends so much of a body, which has been counted when it returns.
func (s *slowBodies) add(from string, length int) {
	s.t.Helper()
	body, rest := io.Pipe()
	go func() { s.codes <- post(s.handler, from, body, -1).Code }()
	// What is written has been counted when the next is read, be it nothing.
	for _, part := range []string{strings.Repeat("x", length), ""} {
		if _, err := io.WriteString(rest, part); err != nil {
			s.t.Fatal(err)
		}
	}
	s.ends = append(s.ends, rest)
}

// end ends all bodies.
func (s *slowBodies) end() {
	s.t.Helper()
	for _, end := range s.ends {
		if err := end.Close(); err != nil {
			s.t.Fatal(err)
		}
		if code := <-s.codes; code != http.StatusOK {
			s.t.Errorf("a slow one: %d", code)
		}
	}
}

// post sends a body from an address, with a declared length, which is -1 for none.
func post(handler http.Handler, from string, body io.Reader, declared int64) *httptest.ResponseRecorder {
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.RemoteAddr, r.ContentLength = from, declared
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, r)
	return w
}

// postText sends a body of a length at once.
func postText(handler http.Handler, from string, length int) *httptest.ResponseRecorder {
	return post(handler, from, strings.NewReader(strings.Repeat("y", length)), int64(length))
}

// readAll is a handler that reads the body.
func readAll() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if _, err := ReadBody(w, r); err != nil {
			WriteBodyError(w, err)
		}
	})
}

// TestBodies has a request under way whose body is slow while another comes.
func TestBodies(t *testing.T) {
	const limit = 1000
	for _, test := range []struct {
		name string
		// sent is what has come of the first body.
		sent, second int
		status       int
	}{
		{"room for both", smallBody + 600, smallBody + 400, http.StatusOK},
		{"one byte too many", smallBody + 600, smallBody + 401, http.StatusServiceUnavailable},
		{"a small one is not counted", smallBody, smallBody + limit, http.StatusOK},
		{"a small one is always read", smallBody + limit, smallBody, http.StatusOK},
		{"one byte longer than a small one", smallBody + limit, smallBody + 1, http.StatusServiceUnavailable},
	} {
		t.Run(test.name, func(t *testing.T) {
			handler := NewBodies(limit).Limit(readAll())
			slow := holdBodies(t, handler)
			slow.add("192.0.2.1:1", test.sent)
			if got := postText(handler, "192.0.2.1:2", test.second); got.Code != test.status ||
				(got.Code != http.StatusOK) != (got.Header().Get("Retry-After") == RetryAfter) {
				t.Errorf("the second: %d %v", got.Code, got.Header())
			}
			slow.end()
			if got := postText(handler, "192.0.2.1:3", smallBody+limit); got.Code != http.StatusOK {
				t.Errorf("after both: %d", got.Code)
			}
		})
	}
}

// TestSharesOfHosts has a host fill its share.
func TestSharesOfHosts(t *testing.T) {
	const limit = 1000
	shares := NewShares(limit)
	handler := shares.LimitHosts(readAll())
	slow := holdBodies(t, handler)
	slow.add("192.0.2.1:1", smallBody+600)
	slow.add("192.0.2.1:2", smallBody+400)
	slow.add("[2001:db8::1]:1", smallBody+limit)
	for _, test := range []struct {
		from   string
		length int
		status int
	}{
		{"192.0.2.1:3", smallBody + 1, http.StatusServiceUnavailable},
		{"192.0.2.1:3", smallBody, http.StatusOK},
		{"[2001:db8::1]:3", smallBody + 1, http.StatusServiceUnavailable},
		{"192.0.2.2:1", smallBody + limit, http.StatusOK},
		{"nowhere", smallBody + limit, http.StatusOK},
	} {
		if got := postText(handler, test.from, test.length); got.Code != test.status {
			t.Errorf("%d bytes from %s: %d", test.length, test.from, got.Code)
		}
	}
	slow.end()
	if got := postText(handler, "192.0.2.1:4", smallBody+limit); got.Code != http.StatusOK {
		t.Errorf("later: %d", got.Code)
	}
	if shares.Len() != 0 {
		t.Errorf("%d shares are kept of hosts that send nothing", shares.Len())
	}
}
