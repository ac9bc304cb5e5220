package github

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/identity"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// appHost is GitHub as far as Apps see it.
type appHost struct {
	*providertest.Service
	key *rsa.PrivateKey
	// tokens counts the installation tokens that were made; only the last is good.
	tokens atomic.Int32
	// ownerIs is "orgs" or "users".
	ownerIs string
	// lifetime of the tokens.
	lifetime time.Duration
}

func newAppHost(t *testing.T) *appHost {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	h := &appHost{key: key, ownerIs: "orgs", lifetime: time.Hour}
	h.Service = providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) { h.serve(t, w, r) })
	return h
}

func (h *appHost) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	said := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
	path := strings.TrimPrefix(r.URL.Path, "/api/v3")
	if strings.HasPrefix(path, "/repos/") {
		if said != fmt.Sprint("installation-token-", h.tokens.Load()) {
			http.Error(w, `{"message":"Bad credentials: `+said+`"}`, http.StatusUnauthorized)
			return
		}
		if r.Method == http.MethodGet {
			_, _ = io.WriteString(w, `[]`)
		}
		return
	}
	if !h.signed(said) {
		http.Error(w, `{"message":"A JSON web token could not be decoded: `+said+`"}`, http.StatusUnauthorized)
		return
	}
	switch path {
	case "/app":
		_, _ = io.WriteString(w, `{"slug":"flux"}`)
	case "/" + h.ownerIs + "/acme/installation":
		_, _ = io.WriteString(w, `{"id":42}`)
	case "/app/installations/42/access_tokens":
		_ = json.NewEncoder(w).Encode(map[string]any{
			"token": fmt.Sprint("installation-token-", h.tokens.Add(1)), "expires_at": time.Now().Add(h.lifetime),
		})
	default:
		http.Error(w, `{"message":"Not Found"}`, http.StatusNotFound)
	}
}

// signed checks the App's token.
func (h *appHost) signed(token string) bool {
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		return false
	}
	var claims jwt.Claims
	if parsed.Claims(&h.key.PublicKey, &claims) != nil {
		return false
	}
	issued, expires := claims.IssuedAt.Time(), claims.Expiry.Time()
	return claims.Issuer == "1234" && expires.Sub(issued) == 2*time.Minute && time.Since(issued) >= 29*time.Second && time.Since(issued) < time.Minute
}

func (h *appHost) secret(change map[string]string) map[string][]byte {
	values := map[string]string{
		KeyAppID: "1234", KeyInstallationID: "42",
		KeyPrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(h.key)})),
	}
	maps.Copy(values, change)
	secret := map[string][]byte{}
	for key, value := range values {
		if value != "" {
			secret[key] = []byte(value)
		}
	}
	return secret
}

func (h *appHost) config(t *testing.T, change map[string]string) provider.Config {
	client := httpx.NewClient(httpx.Options{})
	t.Cleanup(client.CloseIdleConnections)
	object := provider.Object{Namespace: "apps", Name: "prov", UID: "uid"}
	return provider.Config{
		Provider: object, Address: h.URL + "/acme/webapp", Secret: h.secret(change), Client: client,
		Identity: identity.New(identity.Options{MaxTokens: 10, MaxAge: time.Hour}).For(object, "", client, ""),
	}
}

func TestApp(t *testing.T) {
	for name, test := range map[string]struct {
		change  map[string]string
		ownerIs string
	}{
		"installation":       {nil, "orgs"},
		"organization":       {map[string]string{KeyInstallationID: "", KeyInstallationOwner: "acme"}, "orgs"},
		"user":               {map[string]string{KeyInstallationID: "", KeyInstallationOwner: "acme"}, "users"},
		"spaces and newline": {map[string]string{KeyAppID: " 1234\n", KeyInstallationID: "42\n"}, "orgs"},
	} {
		t.Run(name, func(t *testing.T) {
			h := newAppHost(t)
			h.ownerIs = test.ownerIs
			for _, construct := range []providertest.Constructor{New, NewDispatch, NewPullRequestComment} {
				sender, err := construct(h.config(t, test.change))
				if err != nil {
					t.Fatal(err)
				}
				if err := sender.Send(t.Context(), githosttest.Notification()); err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// TestAppBaseURL checks that tokens are made where the Secret says.
func TestAppBaseURL(t *testing.T) {
	h, other := newAppHost(t), newAppHost(t)
	cfg := h.config(t, map[string]string{KeyBaseURL: other.URL + "/api/v3/"})
	cfg.Secret[KeyPrivateKey] = other.secret(nil)[KeyPrivateKey]
	h.tokens.Store(1)
	sender, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), githosttest.Notification()); err != nil || other.tokens.Load() != 1 {
		t.Errorf("%d tokens made: %v", other.tokens.Load(), err)
	}
}

// TestAppTokenIsRenewedOnce checks that a token which is not good any more is renewed, and by one of all workers.
func TestAppTokenIsRenewedOnce(t *testing.T) {
	h := newAppHost(t)
	sender, err := New(h.config(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	all := func() (failed int32) {
		var failures atomic.Int32
		var wg sync.WaitGroup
		for range 10 {
			wg.Go(func() {
				err := sender.Send(t.Context(), githosttest.Notification())
				if err == nil {
					return
				}
				failures.Add(1)
				if provider.Classify(err).Kind != provider.Transient || strings.Contains(err.Error(), "installation-token") {
					t.Errorf("not transient, or shows the token: %v", err)
				}
			})
		}
		wg.Wait()
		return failures.Load()
	}
	if failed := all(); failed != 0 || h.tokens.Load() != 1 {
		t.Errorf("%d failures, %d tokens", failed, h.tokens.Load())
	}
	// Somebody revokes it.
	h.tokens.Add(1)
	if failed := all(); failed == 0 {
		t.Error("a revoked token was taken")
	}
	if failed := all(); failed != 0 || h.tokens.Load() != 3 {
		t.Errorf("%d failures, %d tokens: a new one is one more than the revoked one", failed, h.tokens.Load())
	}
}

// TestAppTokenThatExpires checks that a token is not used up to its last second.
func TestAppTokenThatExpires(t *testing.T) {
	h := newAppHost(t)
	h.lifetime = time.Second
	sender, err := New(h.config(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	for i := range 3 {
		if err := sender.Send(context.Background(), githosttest.Notification()); err != nil {
			t.Error(err)
		}
		if got := h.tokens.Load(); got != int32(i+1) {
			t.Errorf("%d tokens after %d events", got, i+1)
		}
		time.Sleep(h.lifetime)
	}
}

func TestAppIsRefused(t *testing.T) {
	h := newAppHost(t)
	for name, test := range map[string]struct {
		change map[string]string
		says   string
	}{
		"no number":         {map[string]string{KeyAppID: "x"}, KeyAppID},
		"no installation":   {map[string]string{KeyInstallationID: ""}, KeyInstallationOwner},
		"two installations": {map[string]string{KeyInstallationOwner: "acme"}, KeyInstallationOwner},
		"bad installation":  {map[string]string{KeyInstallationID: "../42"}, KeyInstallationID},
		"no key":            {map[string]string{KeyPrivateKey: ""}, KeyPrivateKey},
		"bad key":           {map[string]string{KeyPrivateKey: "planted"}, KeyPrivateKey},
		"other key":         {map[string]string{KeyPrivateKey: "-----BEGIN X-----\ncGxhbnRlZA==\n-----END X-----"}, KeyPrivateKey},
		"large key": {
			map[string]string{KeyPrivateKey: string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: make([]byte, 20_000)}))},
			provider.SecretKey(KeyPrivateKey) + " cannot be used: the key has 20000 bytes",
		},
		"bad URL": {map[string]string{KeyBaseURL: "planted"}, KeyBaseURL},
		"no App":  {map[string]string{KeyAppID: ""}, "github token or github app details must be specified"},
	} {
		t.Run(name, func(t *testing.T) {
			providertest.CheckRefused(t, New, h.config(t, test.change), test.says)
		})
	}
}

// TestAppErrors checks what is said when GitHub does not take the App, and that neither key nor token is in it.
func TestAppErrors(t *testing.T) {
	h := newAppHost(t)
	for name, test := range map[string]struct {
		change map[string]string
		says   string
	}{
		"other App":           {map[string]string{KeyAppID: "5678"}, KeyAppID},
		"other installation":  {map[string]string{KeyInstallationID: "43"}, "there is no such GitHub App or installation"},
		"not installed there": {map[string]string{KeyInstallationID: "", KeyInstallationOwner: "other"}, KeyInstallationOwner},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := h.config(t, test.change)
			err := providertest.Attempt(t, New, cfg, githosttest.Notification())
			if provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), test.says) || !strings.Contains(err.Error(), "Provider 'apps/prov'") {
				t.Errorf("got %v, want one that says %q", err, test.says)
			}
			if strings.Contains(err.Error(), "eyJ") || strings.Contains(err.Error(), "PRIVATE") {
				t.Errorf("the error shows a token or the key: %v", err)
			}
		})
	}
}
