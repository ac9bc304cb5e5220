package jwks_test

import (
	"encoding/json"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
)

func TestAlgorithms(t *testing.T) {
	for _, algorithm := range jwks.Algorithms() {
		if algorithm == jose.ES384 || algorithm == jose.ES512 {
			continue // The kit has keys for one curve only.
		}
		t.Run(string(algorithm), func(t *testing.T) {
			issuer := oidctest.New(t)
			issuer.SetKeys(oidctest.NewKey(t, "1", algorithm))
			token := issuer.Token(t, nil)
			for _, test := range []struct {
				supported []string
				want      string
			}{
				{[]string{"none", "HS256", string(algorithm)}, ""},
				{[]string{"ES384"}, "not verified"},
				{nil, map[bool]string{true: "", false: "not verified"}[algorithm == jose.RS256]},
				{[]string{"none", "HS256"}, map[bool]string{true: "", false: "not verified"}[algorithm == jose.RS256]},
			} {
				issuer.Algorithms = test.supported
				cache := jwks.NewCache(issuer.Client(), time.Now)
				if got := verify(t, cache, issuer, token); got != test.want {
					t.Errorf("supported %q: got %q, want %q", test.supported, got, test.want)
				}
			}
		})
	}
}

func TestKeysAreFoundByID(t *testing.T) {
	issuer := oidctest.New(t)
	one, two := oidctest.NewKey(t, "1", jose.ES256), oidctest.NewKey(t, "2", jose.ES256)
	nameless := oidctest.Key{Algorithm: one.Algorithm, Private: one.Private}
	misnamed := oidctest.Key{ID: "2", Algorithm: one.Algorithm, Private: one.Private}
	for _, test := range []struct {
		name   string
		keys   []oidctest.Key
		signer oidctest.Key
		want   string
	}{
		{"the right one", []oidctest.Key{one, two}, one, ""},
		{"the second", []oidctest.Key{one, two}, two, ""},
		{"of another key", []oidctest.Key{one, two}, misnamed, "not verified"},
		{"unknown", []oidctest.Key{one}, two, "not verified"},
		{"none, with one key", []oidctest.Key{one}, nameless, ""},
		{"none, with a nameless key", []oidctest.Key{nameless}, nameless, ""},
		{"none, with several keys", []oidctest.Key{one, two}, nameless, "not verified"},
		{"none, with several nameless keys", []oidctest.Key{nameless, nameless}, nameless, "not verified"},
		{"two keys of one name", []oidctest.Key{two, misnamed}, misnamed, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			issuer.SetKeys(test.keys...)
			cache := jwks.NewCache(issuer.Client(), time.Now)
			if got := verify(t, cache, issuer, test.signer.Sign(t, nil)); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestKeysAreForTheirPurpose gives keys that say what they are for, beside one of a kind that nobody knows.
func TestKeysAreForTheirPurpose(t *testing.T) {
	issuer := oidctest.New(t)
	key := oidctest.NewKey(t, "1", jose.RS256)
	for _, test := range []struct {
		name           string
		use, algorithm string
		private        bool
		want           string
	}{
		{name: "not said"},
		{name: "signatures", use: "sig", algorithm: "RS256"},
		{name: "encryption", use: "enc", want: "unavailable"},
		{name: "another algorithm", algorithm: "RS512", want: "not verified"},
		{name: "a private key that is not", private: true, want: "unavailable"},
	} {
		t.Run(test.name, func(t *testing.T) {
			published := jose.JSONWebKey{Key: key.Private.Public(), KeyID: "1", Use: test.use, Algorithm: test.algorithm}
			if test.private {
				published.Key = key.Private
			}
			document, err := json.Marshal(map[string]any{"keys": []any{map[string]any{"kty": "new", "kid": "1"}, published}})
			if err != nil {
				t.Fatal(err)
			}
			client := oidctest.Client(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(document) }))
			set := jwks.NewCache(client, time.Now).At(issuer.URL, jose.RS256)
			if got := outcome(t, set.Verify(t.Context(), parse(t, key.Sign(t, nil)))); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

// TestSetsThatNobodyAsksForAreDropped looks for them by their identity, since nothing else tells.
func TestSetsThatNobodyAsksForAreDropped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cache := jwks.NewCache(oidctest.New(t).Client(), time.Now)
		used, idle := cache.Issuer("https://used.example.com"), cache.Issuer("https://idle.example.com")
		if used == idle || used != cache.Issuer("https://used.example.com") {
			t.Fatal("an issuer has not one set of its own")
		}
		time.Sleep(23 * time.Hour)
		cache.Issuer("https://used.example.com")
		time.Sleep(2 * time.Hour)
		cache.Issuer("https://new.example.com")
		if cache.Issuer("https://used.example.com") != used {
			t.Error("a set in use was dropped")
		}
		if cache.Issuer("https://idle.example.com") == idle {
			t.Error("an idle set was kept")
		}
	})
}
