package jwks_test

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
)

const (
	discovery = "/.well-known/openid-configuration"
	keySet    = "/keys"
)

// verify verifies a token with the keys of the issuer. The answer is "", "not verified" or "unavailable".
func verify(t *testing.T, cache *jwks.Cache, issuer *oidctest.Issuer, token string) string {
	t.Helper()
	return outcome(t, cache.Issuer(issuer.URL).Verify(t.Context(), parse(t, token)))
}

func parse(t *testing.T, token string) *jose.JSONWebSignature {
	t.Helper()
	signed, err := jose.ParseSignedCompact(token, jwks.Algorithms())
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

func outcome(t *testing.T, err error) string {
	t.Helper()
	var unavailable *jwks.UnavailableError
	switch {
	case err == nil:
		return ""
	case errors.Is(err, jwks.ErrNotVerified):
		return "not verified"
	case errors.As(err, &unavailable):
		return "unavailable"
	default:
		t.Fatalf("unexpected error: %v", err)
		return ""
	}
}

// check is one step of a story in virtual time.
func check(t *testing.T, what, got, want string, issuer *oidctest.Issuer, requests ...string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %q, want %q", what, got, want)
	}
	if asked := issuer.Requests(); !slices.Equal(asked, requests) {
		t.Errorf("%s: the issuer was asked for %q, want %q", what, asked, requests)
	}
}

func down(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusServiceUnavailable) }

func TestKeysAreFetchedWhenTheyAreNeeded(t *testing.T) {
	issuer := oidctest.New(t)
	first, second := issuer.Token(t, nil), oidctest.NewKey(t, "2", jose.ES256)
	stranger := oidctest.NewKey(t, "1", jose.ES256).Sign(t, nil)
	rotated := second.Sign(t, nil)
	synctest.Test(t, func(t *testing.T) {
		cache := jwks.NewCache(issuer.Client(), time.Now)
		check(t, "first", verify(t, cache, issuer, first), "", issuer, discovery, keySet)
		check(t, "again", verify(t, cache, issuer, first), "", issuer)
		check(t, "forged, a moment later", verify(t, cache, issuer, stranger), "not verified", issuer)
		time.Sleep(10 * time.Second)
		check(t, "forged", verify(t, cache, issuer, stranger), "not verified", issuer, discovery, keySet)

		issuer.SetKeys(second)
		check(t, "a new key, a moment later", verify(t, cache, issuer, rotated), "not verified", issuer)
		time.Sleep(10 * time.Second)
		check(t, "a new key", verify(t, cache, issuer, rotated), "", issuer, discovery, keySet)
		time.Sleep(time.Hour - time.Second)
		check(t, "within the hour", verify(t, cache, issuer, rotated), "", issuer)
		check(t, "a key that is gone", verify(t, cache, issuer, first), "not verified", issuer, discovery, keySet)
		time.Sleep(time.Hour)
		check(t, "after an hour", verify(t, cache, issuer, rotated), "", issuer, discovery, keySet)
	})
}

// TestAWithdrawnKeyIsGoodForAnHour has nobody show a token of another key.
func TestAWithdrawnKeyIsGoodForAnHour(t *testing.T) {
	issuer := oidctest.New(t)
	token, second := issuer.Token(t, nil), oidctest.NewKey(t, "2", jose.ES256)
	synctest.Test(t, func(t *testing.T) {
		cache := jwks.NewCache(issuer.Client(), time.Now)
		check(t, "first", verify(t, cache, issuer, token), "", issuer, discovery, keySet)
		issuer.SetKeys(second)
		time.Sleep(time.Hour - time.Second)
		check(t, "within the hour", verify(t, cache, issuer, token), "", issuer)
		time.Sleep(time.Second)
		check(t, "after it", verify(t, cache, issuer, token), "not verified", issuer, discovery, keySet)
	})
}

func TestAnIssuerThatIsDown(t *testing.T) {
	issuer := oidctest.New(t)
	token, stranger := issuer.Token(t, nil), oidctest.NewKey(t, "9", jose.ES256).Sign(t, nil)
	synctest.Test(t, func(t *testing.T) {
		cache := jwks.NewCache(issuer.Client(), time.Now)
		issuer.Answer(down)
		check(t, "from the start", verify(t, cache, issuer, token), "unavailable", issuer, discovery)
		check(t, "a moment later", verify(t, cache, issuer, token), "unavailable", issuer)
		time.Sleep(10 * time.Second)
		issuer.Answer(nil)
		check(t, "up", verify(t, cache, issuer, token), "", issuer, discovery, keySet)

		issuer.Answer(down)
		time.Sleep(6*time.Hour - time.Second)
		check(t, "old keys", verify(t, cache, issuer, token), "", issuer, discovery)
		check(t, "old keys, a moment later", verify(t, cache, issuer, token), "", issuer)
		check(t, "an unknown key", verify(t, cache, issuer, stranger), "unavailable", issuer)
		time.Sleep(time.Second)
		check(t, "keys that are too old", verify(t, cache, issuer, token), "unavailable", issuer)
		time.Sleep(10 * time.Second)
		issuer.Answer(nil)
		check(t, "up again", verify(t, cache, issuer, token), "", issuer, discovery, keySet)
	})
}

// TestASlowIssuerIsAskedOnce has many callers, real ones and forgers, wait for one attempt.
func TestASlowIssuerIsAskedOnce(t *testing.T) {
	issuer := oidctest.New(t)
	token := parse(t, issuer.Token(t, nil))
	synctest.Test(t, func(t *testing.T) {
		cache := jwks.NewCache(issuer.Client(), time.Now)
		issuer.Answer(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
		start := time.Now()
		var all sync.WaitGroup
		for range 50 {
			all.Go(func() {
				if got := outcome(t, cache.Issuer(issuer.URL).Verify(t.Context(), token)); got != "unavailable" {
					t.Errorf("got %q", got)
				}
			})
		}
		all.Wait()
		if took := time.Since(start); took != 5*time.Second {
			t.Errorf("took %s", took)
		}
		check(t, "once", "", "", issuer, discovery)
	})
}

// TestCallersThatHangUp has the one who asks and one who waits hang up: the others get the keys all the same.
func TestCallersThatHangUp(t *testing.T) {
	issuer := oidctest.New(t)
	token := parse(t, issuer.Token(t, nil))
	synctest.Test(t, func(t *testing.T) {
		asked := jwks.NewCache(oidctest.Client(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			time.Sleep(time.Second)
			issuer.ServeHTTP(w, r)
		})), time.Now).Issuer(issuer.URL)
		ctx, hangUp := context.WithCancel(t.Context())
		var all sync.WaitGroup
		all.Go(func() { _ = asked.Verify(ctx, token) })
		synctest.Wait()
		all.Go(func() {
			if got := outcome(t, asked.Verify(ctx, token)); got != "unavailable" {
				t.Errorf("who hangs up got %q", got)
			}
		})
		all.Go(func() {
			if got := outcome(t, asked.Verify(t.Context(), token)); got != "" {
				t.Errorf("who waits got %q", got)
			}
		})
		synctest.Wait()
		hangUp()
		all.Wait()
		check(t, "once", "", "", issuer, discovery, keySet)
	})
}

func TestAForgersFloodIsBounded(t *testing.T) {
	issuer := oidctest.New(t)
	real := issuer.Token(t, nil)
	var forged []*jose.JSONWebSignature
	for _, id := range []string{"a", "b", "c", "1", ""} {
		forged = append(forged, parse(t, oidctest.NewKey(t, id, jose.ES256).Sign(t, nil)))
	}
	synctest.Test(t, func(t *testing.T) {
		cache := jwks.NewCache(issuer.Client(), time.Now)
		for range 600 { // A minute.
			for _, token := range forged {
				if got := outcome(t, cache.Issuer(issuer.URL).Verify(t.Context(), token)); got != "not verified" {
					t.Fatalf("got %q", got)
				}
			}
			if got := verify(t, cache, issuer, real); got != "" {
				t.Fatalf("a real token among them: %q", got)
			}
			time.Sleep(100 * time.Millisecond)
		}
		if got := len(issuer.Requests()); got != 12 {
			t.Errorf("%d requests in a minute, want 12: discovery and keys every 10 seconds", got)
		}
	})
}

func TestAnswersThatAreNoKeys(t *testing.T) {
	issuer := oidctest.New(t)
	token := issuer.Token(t, nil)
	onKeys := func(document string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == discovery {
				document := `{"issuer":"https://issuer.example.com","jwks_uri":"https://issuer.example.com/keys"}`
				_, _ = w.Write([]byte(document))
				return
			}
			_, _ = w.Write([]byte(document))
		}
	}
	// The keys are the right ones.
	onDiscovery := func(document string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == discovery {
				_, _ = w.Write([]byte(document))
				return
			}
			issuer.Answer(nil)
			issuer.ServeHTTP(w, r)
		}
	}
	always := func(document string) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(document)) }
	}
	for name, answer := range map[string]http.HandlerFunc{
		"not found":                http.NotFound,
		"garbage":                  always("<html>planted"),
		"another issuer":           onDiscovery(`{"issuer":"https://issuer.example.com/","jwks_uri":"https://issuer.example.com/keys","id_token_signing_alg_values_supported":["ES256"]}`),
		"no issuer":                onDiscovery(`{"jwks_uri":"https://issuer.example.com/keys","id_token_signing_alg_values_supported":["ES256"]}`),
		"no address of keys":       always(`{"issuer":"https://issuer.example.com"}`),
		"a bad address":            always(`{"issuer":"https://issuer.example.com","jwks_uri":"://planted"}`),
		"a file":                   always(`{"issuer":"https://issuer.example.com","jwks_uri":"file:///etc/planted"}`),
		"a long document":          always(`{"issuer":"https://issuer.example.com"}` + strings.Repeat(" ", 256<<10)),
		"moved for ever":           func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/planted", http.StatusFound) },
		"garbage for keys":         onKeys("planted"),
		"no keys":                  onKeys(`{"keys":[]}`),
		"a shared secret":          onKeys(`{"keys":[{"kty":"oct","kid":"1","k":"cGxhbnRlZA"}]}`),
		"long keys":                onKeys(`{"keys":[` + strings.Repeat(`{"kty":"oct"},`, 20000) + `{}]}`),
		"keys of unknown kinds":    onKeys(`{"keys":[{"kty":"planted","kid":"1"},7,null]}`),
		"keys that are for others": onKeys(`{"keys":{"1":"planted"}}`),
	} {
		t.Run(name, func(t *testing.T) {
			client := issuer.Client()
			client.CheckRedirect = func(_ *http.Request, via []*http.Request) error {
				if len(via) > 5 {
					return http.ErrUseLastResponse
				}
				return nil
			}
			issuer.Answer(answer)
			err := jwks.NewCache(client, time.Now).Issuer(issuer.URL).Verify(t.Context(), parse(t, token))
			if got := outcome(t, err); got != "unavailable" {
				t.Errorf("got %q", got)
			}
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("the error quotes the answer: %v", err)
			}
		})
	}
}
