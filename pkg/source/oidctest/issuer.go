// Package oidctest is an OpenID Connect issuer for tests: with a socket, or in memory, where virtual time goes on while it
// answers.
package oidctest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"github.com/go-jose/go-jose/v4"
)

// Issuer answers discovery, and every other path with its keys.
type Issuer struct {
	// URL is what the issuer calls itself.
	URL string
	// Algorithms are those that it says to support.
	Algorithms []string

	mu       sync.Mutex
	keys     []Key
	requests []string
	answer   http.HandlerFunc
}

// Key is a private key of an issuer.
type Key struct {
	ID        string
	Algorithm jose.SignatureAlgorithm
	Private   crypto.Signer
}

// New returns an issuer with the key "1" for ES256. It has no socket.
func New(t testing.TB) *Issuer {
	i := &Issuer{URL: "https://issuer.example.com", Algorithms: []string{"RS256", "ES256", "PS256", "EdDSA", "HS256", "none"}}
	i.SetKeys(NewKey(t, "1", jose.ES256))
	return i
}

// Serve returns one with a socket.
func Serve(t testing.TB) *Issuer {
	i := New(t)
	server := httptest.NewServer(i)
	t.Cleanup(server.Close)
	i.URL = server.URL
	return i
}

// NewKey makes a key.
func NewKey(t testing.TB, id string, algorithm jose.SignatureAlgorithm) Key {
	t.Helper()
	var private crypto.Signer
	var err error
	switch algorithm {
	case jose.ES256:
		private, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case jose.EdDSA:
		_, private, err = ed25519.GenerateKey(rand.Reader)
	default:
		private, err = rsa.GenerateKey(rand.Reader, 2048)
	}
	if err != nil {
		t.Fatal(err)
	}
	return Key{ID: id, Algorithm: algorithm, Private: private}
}

// SetKeys replaces the keys. The first one signs.
func (i *Issuer) SetKeys(keys ...Key) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.keys = keys
}

// Answer replaces all answers, or gives them back with nil.
func (i *Issuer) Answer(with http.HandlerFunc) {
	i.mu.Lock()
	defer i.mu.Unlock()
	i.answer = with
}

// Requests are the paths that have been asked for since the last call.
func (i *Issuer) Requests() []string {
	i.mu.Lock()
	defer i.mu.Unlock()
	requests := i.requests
	i.requests = nil
	return requests
}

// Token returns a token with these claims, signed with the first key.
func (i *Issuer) Token(t testing.TB, claims map[string]any) string {
	t.Helper()
	i.mu.Lock()
	key := i.keys[0]
	i.mu.Unlock()
	return key.Sign(t, claims)
}

// Sign returns a token with these claims.
func (k Key) Sign(t testing.TB, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: k.Algorithm, Key: jose.JSONWebKey{Key: k.Private, KeyID: k.ID}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return Serialize(t, signer, claims)
}

// Serialize returns a token with these claims, signed as the signer does.
func Serialize(t testing.TB, signer jose.Signer, claims map[string]any) string {
	t.Helper()
	payload, err := json.Marshal(claims)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := signer.Sign(payload)
	if err != nil {
		t.Fatal(err)
	}
	token, err := signed.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	return token
}

// ServeHTTP implements [http.Handler].
func (i *Issuer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	i.mu.Lock()
	i.requests = append(i.requests, r.URL.Path)
	answer, set := i.answer, jose.JSONWebKeySet{}
	for _, key := range i.keys {
		set.Keys = append(set.Keys, jose.JSONWebKey{Key: key.Private.Public(), KeyID: key.ID, Use: "sig"})
	}
	i.mu.Unlock()
	switch {
	case answer != nil:
		answer(w, r)
	case strings.HasSuffix(r.URL.Path, "/.well-known/openid-configuration"):
		i.encode(w, map[string]any{
			"issuer": i.URL, "jwks_uri": strings.TrimSuffix(i.URL, "/") + "/keys", "id_token_signing_alg_values_supported": i.Algorithms,
		})
	default:
		i.encode(w, set)
	}
}

func (i *Issuer) encode(w http.ResponseWriter, document any) {
	w.Header().Set("Content-Type", "application/json")
	if err := json.NewEncoder(w).Encode(document); err != nil {
		panic(err)
	}
}

// Client returns a client whose every request reaches the issuer, without a network.
func (i *Issuer) Client() *http.Client { return Client(i) }

// Client returns a client whose every request reaches the handler, without a network.
func Client(handler http.Handler) *http.Client {
	return &http.Client{Transport: transport{handler}}
}

type transport struct{ handler http.Handler }

// RoundTrip implements [http.RoundTripper].
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	answer := httptest.NewRecorder()
	t.handler.ServeHTTP(answer, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	response := answer.Result()
	response.Request = r
	return response, nil
}
