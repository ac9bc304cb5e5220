package main

import (
	"context"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// sink takes notifications and counts them and their connections.
type sink struct {
	listener    net.Listener
	server      *http.Server
	requests    atomic.Int64
	connections atomic.Int64
	// status is what it answers.
	status atomic.Int32
}

// newSink returns a sink that takes its time to answer. What it has not answered does not count.
func newSink(delay time.Duration) (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{listener: listener}
	s.status.Store(http.StatusOK)
	s.server = &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			if delay > 0 {
				select {
				case <-r.Context().Done():
					return
				case <-time.After(delay):
				}
			}
			w.WriteHeader(int(s.status.Load()))
			s.requests.Add(1)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.connections.Add(1)
			}
		},
	}
	go func() { _ = s.server.Serve(listener) }() // Until close.
	return s, nil
}

func (s *sink) url() string { return "http://" + s.listener.Addr().String() }

func (s *sink) close() error { return s.server.Close() }

func (s *sink) reset() {
	s.requests.Store(0)
	s.connections.Store(0)
}

// wait waits until n requests have arrived, as long as any do, and returns how many have.
func (s *sink) wait(ctx context.Context, n int) int {
	const stuck = 10 * time.Second
	last, since := int64(0), time.Now()
	for {
		got := s.requests.Load()
		if got >= int64(n) || ctx.Err() != nil || time.Since(since) > stuck {
			return int(got)
		}
		if got != last {
			last, since = got, time.Now()
		}
		time.Sleep(time.Millisecond)
	}
}
