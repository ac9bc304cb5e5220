package providertest

import (
	"context"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// closedAddress returns the URL of a port that refuses connections.
func closedAddress(t *testing.T) string {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	return "http://" + listener.Addr().String()
}

// testUnreachable has no service at the other end, which may pass.
func (s suite) testUnreachable(t *testing.T) {
	for name, address := range map[string]string{"refused": closedAddress(t), "no such host": "http://service.invalid"} {
		t.Run(name, func(t *testing.T) {
			sender, cfg := s.sender(t, address, httpx.Options{})
			err := s.send(t, sender)
			if err == nil {
				t.Fatal("no error")
			}
			if got := provider.Classify(err); got.Kind != provider.Transient || got.Reason == provider.ReasonUnclassified {
				t.Errorf("kind %d, reason %q: %v", got.Kind, got.Reason, err)
			}
			checkNoSecret(t, err, cfg)
		})
	}
}

// tooLong is how long a service hangs: a sender that does not mind its context is found out, and the test goes on.
const tooLong = promptly + 2*time.Second

// hanging is a service that gets a request and does not answer.
func (s suite) hanging(t *testing.T) (service *Service, arrived chan struct{}) {
	arrived = make(chan struct{}, 1)
	service = s.serve(t, func(_ http.ResponseWriter, r *http.Request) {
		arrived <- struct{}{}
		select {
		case <-r.Context().Done():
		case <-time.After(tooLong):
		}
	})
	return service, arrived
}

func (s suite) testCancel(t *testing.T) {
	t.Run("before", func(t *testing.T) {
		service := s.serve(t, s.Success)
		sender, _ := s.sender(t, service.URL, httpx.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := sender.Send(ctx, s.notification()); err == nil {
			t.Error("no error")
		}
		if got := len(service.Requests()); got != 0 {
			t.Errorf("%d requests after the end of the context", got)
		}
	})
	t.Run("in mid-flight", func(t *testing.T) {
		service, arrived := s.hanging(t)
		sender, _ := s.sender(t, service.URL, httpx.Options{})
		ctx, cancel := context.WithCancel(t.Context())
		var canceled time.Time
		go func() {
			<-arrived
			canceled = time.Now()
			cancel()
		}()
		err := sender.Send(ctx, s.notification())
		checkEnded(t, err, canceled)
	})
	t.Run("deadline", func(t *testing.T) {
		service, _ := s.hanging(t)
		sender, _ := s.sender(t, service.URL, httpx.Options{})
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		deadline, _ := ctx.Deadline()
		err := sender.Send(ctx, s.notification())
		checkEnded(t, err, deadline)
		if err != nil && provider.Classify(err).Reason != provider.ReasonTimeout {
			t.Errorf("reason %q, want %q: %v", provider.Classify(err).Reason, provider.ReasonTimeout, err)
		}
	})
}

// checkEnded checks the error of an attempt whose context ended.
func checkEnded(t *testing.T, err error, ended time.Time) {
	t.Helper()
	if late := time.Since(ended); late > promptly {
		t.Errorf("returned %s after the end of the context", late)
	}
	if err == nil {
		t.Error("no error")
	} else if provider.Classify(err).Kind != provider.Transient {
		t.Errorf("the error is not transient: %v", err)
	}
}

func (s suite) testSlowAnswer(t *testing.T) {
	service := s.serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "1000")
		controller := http.NewResponseController(w)
		for start := time.Now(); time.Since(start) < tooLong; time.Sleep(10 * time.Millisecond) {
			if _, err := w.Write([]byte("{")); err != nil || controller.Flush() != nil {
				return
			}
		}
	})
	sender, _ := s.sender(t, service.URL, httpx.Options{})
	ctx, cancel := context.WithTimeout(t.Context(), 500*time.Millisecond)
	defer cancel()
	deadline, _ := ctx.Deadline()
	err := sender.Send(ctx, s.notification())
	if late := time.Since(deadline); late > promptly {
		t.Errorf("returned %s after the end of the context", late)
	}
	s.checkCutAnswer(t, err)
}

func (s suite) testEndlessAnswer(t *testing.T) {
	service := s.serve(t, func(w http.ResponseWriter, _ *http.Request) {
		chunk := []byte(strings.Repeat("endless ", 1<<10))
		for {
			if _, err := w.Write(chunk); err != nil {
				return
			}
		}
	})
	sender, _ := s.sender(t, service.URL, httpx.Options{})
	start := time.Now()
	err := s.send(t, sender)
	if took := time.Since(start); took >= timeout {
		t.Errorf("the answer has been read for %s", took)
	}
	s.checkCutAnswer(t, err)
}

// checkCutAnswer checks what is made of a status 200 whose body is not to be had.
func (s suite) checkCutAnswer(t *testing.T, err error) {
	t.Helper()
	switch {
	case !s.ReadsAnswer && err != nil:
		t.Errorf("the status had been said: %v", err)
	case s.ReadsAnswer && (err == nil || provider.Classify(err).Kind != provider.Transient):
		t.Errorf("the error is not transient: %v", err)
	}
}
