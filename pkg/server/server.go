// Package server holds what the HTTP listeners of the process share: limits, lifecycle, health and middleware.
package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/net/netutil"
)

const (
	// MaxBody is the longest request body, in bytes.
	MaxBody = 3 << 20

	// RetryAfter is the header of answers that ask to come again: after so many seconds.
	RetryAfter = "5"

	// maxConnections is how many a server has at a time; more wait to be accepted. Each takes some 20 KiB, and up to 300
	// while its header comes.
	maxConnections    = 1024
	maxHeader         = 256 << 10
	trustedLength     = smallBody
	readHeaderTimeout = 10 * time.Second
	readTimeout       = 30 * time.Second
	idleTimeout       = 30 * time.Second
)

// Server is a listener with a handler.
type Server struct {
	name     string
	listener net.Listener
	server   *http.Server
}

// Listen opens the listener, so that an address that is taken is an error at once, but serves nothing yet.
func Listen(name, address string, handler http.Handler, writeTimeout time.Duration, log *slog.Logger) (*Server, error) {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return nil, fmt.Errorf("listen for %s: %w", name, err)
	}
	return &Server{
		name:     name,
		listener: netutil.LimitListener(listener, maxConnections),
		server: &http.Server{
			Handler:           handler,
			MaxHeaderBytes:    maxHeader,
			ReadHeaderTimeout: readHeaderTimeout,
			ReadTimeout:       readTimeout,
			WriteTimeout:      writeTimeout,
			IdleTimeout:       idleTimeout,
			ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		},
	}, nil
}

// Address is where the server listens.
func (s *Server) Address() string { return s.listener.Addr().String() }

// Serve serves until Shutdown.
func (s *Server) Serve() error {
	if err := s.server.Serve(s.listener); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve %s: %w", s.name, err)
	}
	return nil
}

// StopKeepAlives has each connection end after the request under way.
func (s *Server) StopKeepAlives() { s.server.SetKeepAlivesEnabled(false) }

// Shutdown closes the listener and waits for the requests under way until ctx ends.
func (s *Server) Shutdown(ctx context.Context) error {
	if err := s.server.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("shut down %s: %w", s.name, err), s.server.Close())
	}
	return nil
}

// ReadBody reads a request's body whole. The error is for [WriteBodyError].
func ReadBody(w http.ResponseWriter, r *http.Request) ([]byte, error) {
	if r.ContentLength > MaxBody {
		return nil, &http.MaxBytesError{Limit: MaxBody}
	}
	buffer := bytes.NewBuffer(make([]byte, 0, trusted(r)+bytes.MinRead))
	if _, err := buffer.ReadFrom(http.MaxBytesReader(w, r.Body, MaxBody)); err != nil {
		return nil, err
	}
	return buffer.Bytes(), nil
}

// trusted is how much memory a caller's word for the length is worth; the rest is taken as it comes.
func trusted(r *http.Request) int64 { return min(max(r.ContentLength, 0), trustedLength) }

// WriteBodyError answers a request whose body could not be read: 413 if it is too long, 503 for [ErrBusy], else 400.
func WriteBodyError(w http.ResponseWriter, err error) {
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		http.Error(w, fmt.Sprintf("the body is longer than %d bytes", tooLong.Limit), http.StatusRequestEntityTooLarge)
	case errors.Is(err, ErrBusy):
		w.Header().Set("Retry-After", RetryAfter)
		http.Error(w, ErrBusy.Error(), http.StatusServiceUnavailable)
	default:
		http.Error(w, "the body could not be read", http.StatusBadRequest)
	}
}
