package providertest

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// shortest is the length from which the suite looks for a secret, or for the beginning of one.
const shortest = 8

// planted returns what must not be in an error of a sender of cfg.
func planted(cfg provider.Config) []string {
	found := []string{proxyPassword}
	for _, secret := range cfg.Secrets() {
		found = append(found, strings.TrimSpace(secret))
		if u, err := url.Parse(secret); err == nil && u.Host != "" {
			found = append(found, u.RequestURI(), u.Path, u.RawQuery)
			if password, ok := u.User.Password(); ok {
				found = append(found, password)
			}
		}
	}
	return found
}

// checkNoSecret checks that an error shows no secret of cfg. One that was cut counts as well.
func checkNoSecret(t *testing.T, err error, cfg provider.Config) {
	t.Helper()
	if err == nil {
		return
	}
	for _, secret := range planted(cfg) {
		if len(secret) >= shortest && strings.Contains(err.Error(), secret) {
			t.Errorf("the error shows the secret %q: %v", secret, err)
		}
	}
}

// checkNoCutSecret checks the same of the beginnings of secrets.
func checkNoCutSecret(t *testing.T, err error, cfg provider.Config) {
	t.Helper()
	checkNoSecret(t, err, cfg)
	for _, secret := range planted(cfg) {
		// The scheme and host of an address are no secret.
		if len(secret) >= shortest && !strings.Contains(secret, "://") && strings.Contains(err.Error(), secret[:shortest]) {
			t.Errorf("the error shows the beginning of the secret %q: %v", secret, err)
		}
	}
}

func (s suite) testSecrets(t *testing.T) {
	t.Run("own errors", s.testOwnErrors)
	t.Run("echo", s.testEcho)
}

// testOwnErrors checks the errors that quote no service: those show no secret even without a redactor.
func (s suite) testOwnErrors(t *testing.T) {
	answer := func(handler http.HandlerFunc) func(*testing.T) (string, httpx.Options) {
		return func(t *testing.T) (string, httpx.Options) { return Serve(t, handler).URL, httpx.Options{} }
	}
	hijacked := func(text string) func(*testing.T) (string, httpx.Options) {
		return answer(func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		})
	}
	for name, service := range map[string]func(*testing.T) (string, httpx.Options){
		"status":                    answer(failing(http.StatusForbidden)),
		"throttled":                 answer(failing(http.StatusTooManyRequests, "Retry-After", "1")),
		"redirect":                  answer(failing(http.StatusMovedPermanently, "Location", "/elsewhere")),
		"redirect without location": answer(failing(http.StatusPermanentRedirect)),
		"redirect to nowhere":       answer(failing(http.StatusPermanentRedirect, "Location", "https://%zz/")),
		"hung up":                   hijacked(""),
		"broken answer":             hijacked("HTTP/1.1 abc\r\n\r\n"),
		"other protocol":            hijacked("220 smtp.example.com\r\n"),
		"not TLS": func(t *testing.T) (string, httpx.Options) {
			return strings.Replace(Serve(t, failing(http.StatusOK)).URL, "http://", "https://", 1), httpx.Options{}
		},
		"no such host": func(*testing.T) (string, httpx.Options) { return "http://service.invalid", httpx.Options{} },
		"proxy refuses": func(t *testing.T) (string, httpx.Options) {
			return "http://service.invalid", httpx.Options{Proxy: proxyURL(t, closedAddress(t))}
		},
		"proxy wants another password": func(t *testing.T) (string, httpx.Options) {
			proxy := Serve(t, failing(http.StatusProxyAuthRequired))
			return "https://service.invalid", httpx.Options{Proxy: proxyURL(t, proxy.URL)}
		},
		"hangs": func(t *testing.T) (string, httpx.Options) {
			service, _ := s.hanging(t)
			return service.URL, httpx.Options{}
		},
	} {
		t.Run(name, func(t *testing.T) {
			address, options := service(t)
			sender, cfg := s.sender(t, address, options)
			ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
			defer cancel()
			err := sender.Send(ctx, s.notification())
			if err == nil {
				t.Fatal("no error")
			}
			checkNoSecret(t, err, cfg)
		})
	}
}

// testEcho checks that a redactor, as it is around every sender, masks what a service says back, wherever the
// quotation of it is cut.
func (s suite) testEcho(t *testing.T) {
	for name, echo := range map[string]func(*http.Request) string{
		"URI":  func(r *http.Request) string { return r.RequestURI },
		"path": func(r *http.Request) string { return r.URL.Path + "?" + r.URL.RawQuery },
		"headers": func(r *http.Request) string {
			var all strings.Builder
			_ = r.Header.WriteSubset(&all, map[string]bool{"User-Agent": true, "Content-Length": true})
			return all.String()
		},
		"headers as JSON": func(r *http.Request) string { return fmt.Sprintf("%q", r.Header) },
		"basic auth": func(r *http.Request) string {
			username, password, _ := r.BasicAuth()
			return username + ":" + password
		},
		"body": func(r *http.Request) string {
			body, _ := io.ReadAll(r.Body)
			return string(body)
		},
	} {
		t.Run(name, func(t *testing.T) {
			padding := 0
			service := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
				w.WriteHeader(http.StatusBadRequest)
				_, _ = io.WriteString(w, strings.Repeat("x", padding)+" "+echo(r)+strings.Repeat(" x", 512))
			})
			sender, cfg := s.sender(t, service.URL, httpx.Options{})
			sender = provider.Redact(sender, provider.NewRedactor(cfg.Secrets()...))
			for ; padding < 512; padding += 5 {
				err := s.send(t, sender)
				if err == nil || provider.Classify(err).Kind != provider.Permanent {
					t.Fatalf("the error is not permanent: %v", err)
				}
				checkNoCutSecret(t, err, cfg)
			}
		})
	}
}
