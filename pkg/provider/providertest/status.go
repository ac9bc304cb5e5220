package providertest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// withStatus answers with a status instead of that of a successful answer.
type withStatus struct {
	http.ResponseWriter
	status  int
	written bool
}

func (w *withStatus) WriteHeader(int) {
	if !w.written {
		w.written = true
		w.ResponseWriter.WriteHeader(w.status)
	}
}

func (w *withStatus) Write(p []byte) (int, error) {
	w.WriteHeader(w.status)
	return w.ResponseWriter.Write(p)
}

// failing answers with a status and a body that is nobody's format.
func failing(status int, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		fmt.Fprintf(w, "out of\n order %s", strings.Repeat("x", 2000))
	}
}

func (s suite) testStatus(t *testing.T) {
	successes := []int{200, 201, 202}
	if !s.ReadsAnswer {
		successes = append(successes, 204, 206)
	}
	for _, status := range successes {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			service := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
				changed := &withStatus{ResponseWriter: w, status: status}
				s.Success(changed, r)
				changed.WriteHeader(status)
			})
			sender, _ := s.sender(t, service.URL, httpx.Options{})
			if err := s.send(t, sender); err != nil {
				t.Errorf("Send: %v", err)
			}
		})
	}
	for kind, statuses := range map[provider.Kind][]int{
		provider.Permanent: {300, 304, 305, 400, 401, 402, 403, 404, 405, 406, 407, 408, 409, 410, 411, 413, 414, 415, 418, 421, 422, 425, 426, 428, 431, 451, 499, 501},
		provider.Transient: {429, 500, 502, 503, 504, 505, 507, 508, 511, 520, 529, 599},
	} {
		for _, status := range statuses {
			t.Run(fmt.Sprint(status), func(t *testing.T) { s.checkStatus(t, status, kind) })
		}
	}
}

func (s suite) checkStatus(t *testing.T, status int, kind provider.Kind) {
	service := s.serve(t, failing(status))
	sender, _ := s.sender(t, service.URL, httpx.Options{})
	err := s.send(t, sender)
	if err == nil {
		t.Fatal("no error")
	}
	if got := provider.Classify(err); got.Kind != kind {
		t.Errorf("kind %d, want %d: %v", got.Kind, kind, err)
	}
	if got := provider.Classify(err); got.Reason == provider.ReasonUnclassified {
		t.Errorf("the error has no reason: %v", err)
	}
	if len(err.Error()) > 1024 || strings.Contains(err.Error(), "\n") {
		t.Errorf("the error is long or has several lines: %q", err)
	}
}

func (s suite) testRetryAfter(t *testing.T) {
	for _, status := range []int{429, 503} {
		for _, test := range []struct {
			name, value string
			kind        provider.Kind
			least, most time.Duration
		}{
			{"seconds", "7", provider.Throttled, 7 * time.Second, 7 * time.Second},
			{"date", time.Now().Add(time.Hour).UTC().Format(http.TimeFormat), provider.Throttled, time.Hour - timeout - time.Second, time.Hour},
			// Throttled without a wait would be a loop.
			{"no wait", "0", provider.Transient, 0, 0},
			{"past", "Thu, 01 Jan 1970 00:00:00 GMT", provider.Transient, 0, 0},
			{"nonsense", "soon", provider.Transient, 0, 0},
		} {
			t.Run(fmt.Sprint(status, " ", test.name), func(t *testing.T) {
				service := s.serve(t, failing(status, "Retry-After", test.value))
				sender, _ := s.sender(t, service.URL, httpx.Options{})
				err := s.send(t, sender)
				if err == nil {
					t.Fatal("no error")
				}
				got := provider.Classify(err)
				if got.Kind != test.kind || got.RetryAfter < test.least || got.RetryAfter > test.most {
					t.Errorf("kind %d after %s, want %d after %s to %s", got.Kind, got.RetryAfter, test.kind, test.least, test.most)
				}
			})
		}
	}
}

func (s suite) testRedirect(t *testing.T) {
	const elsewhere = "/elsewhere"
	for _, status := range []int{301, 302, 303, 307, 308} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			var first, second []byte
			service := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if r.URL.Path != elsewhere {
					first = body
					w.Header().Set("Location", elsewhere)
					w.WriteHeader(status)
					return
				}
				second = body
				if r.Header.Get("Referer") != "" {
					t.Error("the next server is told the address of the one before")
				}
				s.Success(w, r)
			})
			sender, _ := s.sender(t, service.URL, httpx.Options{})
			err := s.send(t, sender)
			switch {
			case status < 307 && (err == nil || provider.Classify(err).Kind != provider.Permanent || second != nil):
				t.Errorf("a redirect that drops the body has been followed, or its error is not permanent: %v", err)
			case status >= 307 && (err != nil || len(second) == 0 || string(first) != string(second)):
				t.Errorf("a redirect that keeps the body has not been followed with it: %v", err)
			}
		})
	}
	t.Run("loop", func(t *testing.T) {
		service := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Location", r.URL.String())
			w.WriteHeader(http.StatusTemporaryRedirect)
		})
		sender, _ := s.sender(t, service.URL, httpx.Options{})
		if err := s.send(t, sender); err == nil || provider.Classify(err).Kind != provider.Permanent {
			t.Errorf("the error is not permanent: %v", err)
		}
	})
}
