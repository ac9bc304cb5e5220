package providertest

import (
	"bytes"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"sync"
	"testing"
)

// Request is what a service got.
type Request struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// Service stands for the service of a Provider and keeps what it got.
type Service struct {
	*httptest.Server
	mu          sync.Mutex
	requests    []Request
	connections int
}

// Serve starts a service that answers with handler, which can read the body again. It ends with the test.
func Serve(t *testing.T, handler http.HandlerFunc) *Service {
	s := unstarted(handler)
	s.Start()
	t.Cleanup(s.Close)
	return s
}

func unstarted(handler http.HandlerFunc) *Service {
	s := &Service{}
	s.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		r.Body = io.NopCloser(bytes.NewReader(body))
		s.mu.Lock()
		s.requests = append(s.requests, Request{r.Method, r.URL.EscapedPath(), r.URL.RawQuery, r.Header.Clone(), body})
		s.mu.Unlock()
		handler(w, r)
	}))
	s.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			s.mu.Lock()
			s.connections++
			s.mu.Unlock()
		}
	}
	// Some tests break the protocol on purpose: the server's complaints are no news.
	s.Config.ErrorLog = log.New(io.Discard, "", 0)
	return s
}

// Requests returns what the service got so far.
func (s *Service) Requests() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	return append([]Request(nil), s.requests...)
}

func (s *Service) countConnections() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.connections
}

// serve starts a service on which look-ups succeed and everything else is answered by handler.
func (s suite) serve(t *testing.T, handler http.HandlerFunc) *Service {
	return Serve(t, s.lookups(handler))
}

func (s suite) lookups(handler http.HandlerFunc) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if s.Lookup != nil && s.Lookup(r) {
			s.Success(w, r)
			return
		}
		handler(w, r)
	}
}

// redirected has all requests for the outside sent to the server at address.
func redirected(t *testing.T, base http.RoundTripper, address string) http.RoundTripper {
	target, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	return roundTripper(func(r *http.Request) (*http.Response, error) {
		if ip, err := netip.ParseAddr(r.URL.Hostname()); err == nil && ip.IsLoopback() {
			return base.RoundTrip(r)
		}
		r = r.Clone(r.Context())
		r.URL.Scheme, r.URL.Host, r.Host = target.Scheme, target.Host, target.Host
		return base.RoundTrip(r)
	})
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }
