package main

import (
	"errors"
	"io"
	"net"
	"net/http"
	"time"
)

// sink is a service that takes every message and prints it.
type sink struct {
	// url is the address of an incoming webhook, as Slack gives them out.
	url string
	// received has an entry for each message, as long as somebody reads them.
	received chan struct{}
	server   *http.Server
	ended    chan error
}

// startSink starts a sink on a free port of the loopback interface.
func startSink() (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{
		url:      "http://" + listener.Addr().String() + "/services/T000/B000/XXX",
		received: make(chan struct{}, 1),
		ended:    make(chan error, 1),
	}
	s.server = &http.Server{Handler: http.HandlerFunc(s.take), ReadTimeout: 10 * time.Second}
	go func() { s.ended <- s.server.Serve(listener) }()
	return s, nil
}

func (s *sink) take(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	say("the sink was sent %s %s\n%s", r.Method, r.URL.Path, pretty(body))
	_, _ = io.WriteString(w, "ok") // as Slack does; who hangs up need not be told
	select {
	case s.received <- struct{}{}:
	default:
	}
}

func (s *sink) stop() error {
	err := s.server.Close()
	if ended := <-s.ended; !errors.Is(ended, http.ErrServerClosed) {
		err = errors.Join(err, ended)
	}
	return err
}
