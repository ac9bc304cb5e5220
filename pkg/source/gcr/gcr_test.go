package gcr_test

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/gcr"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
)

const (
	email    = "pusher@acme.iam.gserviceaccount.com"
	audience = "https://flux.example.com/hook/f2b890c0"

	// sample is that of spec/receivers.md §5.10.
	sample = `{"message":{"messageId":"1","publishTime":"2026-08-07T10:00:00Z","data":"eyJhY3Rpb24iOiJJTlNFUlQiLCJkaWdlc3QiOiJldXJvcGUtZG9ja2VyLnBrZy5kZXYvYWNtZS9hcHBzL3Nob3BAc2hhMjU2OjBmMWUiLCJ0YWciOiJldXJvcGUtZG9ja2VyLnBrZy5kZXYvYWNtZS9hcHBzL3Nob3A6MS4yLjMifQ=="},"subscription":"projects/acme/subscriptions/flux"}`
	// seen is what filters see of it.
	seen = `{"action":"INSERT","digest":"europe-docker.pkg.dev/acme/apps/shop@sha256:0f1e","tag":"europe-docker.pkg.dev/acme/apps/shop:1.2.3"}`
)

// google stands for Google: every address is answered with the keys of one issuer.
type google struct {
	*oidctest.Issuer
	verifier source.Verifier
	now      time.Time
}

func newGoogle(t testing.TB) *google {
	t.Helper()
	g := &google{Issuer: oidctest.New(t), now: time.Date(2026, 8, 7, 10, 0, 0, 0, time.UTC)}
	now := func() time.Time { return g.now }
	verifier, err := gcr.Type(now).Build(source.Config{Keys: jwks.NewCache(g.Client(), now)})
	if err != nil {
		t.Fatal(err)
	}
	g.verifier = verifier
	return g
}

func secret() map[string][]byte {
	return map[string][]byte{"token": []byte("s3cr3t-webhook-token"), gcr.EmailKey: []byte(email), gcr.AudienceKey: []byte(audience)}
}

// claims are those of Google's token, but for changes.
func (g *google) claims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"iss": "https://accounts.google.com", "aud": audience, "email": email, "email_verified": true, "exp": g.now.Add(time.Minute).Unix(),
	}
	maps.Copy(claims, changes)
	return claims
}

func (g *google) verify(t *testing.T, token, body string, data map[string][]byte) (source.Result, error) {
	t.Helper()
	return g.verifier.Verify(t.Context(), &source.Request{Header: http.Header{"Authorization": {"Bearer " + token}}, Body: []byte(body)}, data)
}

func TestVerify(t *testing.T) {
	for _, algorithm := range []jose.SignatureAlgorithm{jose.RS256, jose.ES256} {
		t.Run(string(algorithm), func(t *testing.T) {
			g := newGoogle(t)
			g.SetKeys(oidctest.NewKey(t, "1", algorithm))
			for _, issuer := range []string{"https://accounts.google.com", "accounts.google.com"} {
				result, err := g.verify(t, g.Token(t, g.claims(map[string]any{"iss": issuer})), sample, secret())
				if err != nil || string(result.Payload) != seen || result.DeliveryID != "1" || result.Claims != nil {
					t.Errorf("%s: got %+v %s, %v", issuer, result, result.Payload, err)
				}
			}
			want := map[jose.SignatureAlgorithm]string{jose.RS256: "/oauth2/v3/certs", jose.ES256: "/iap/verify/public_key-jwk"}[algorithm]
			if asked := g.Requests(); !slices.Equal(asked, []string{want}) {
				t.Errorf("asked for %q, want %q once", asked, want)
			}
		})
	}
}

func TestRefusedTokens(t *testing.T) {
	g := newGoogle(t)
	key := oidctest.NewKey(t, "1", jose.ES256)
	rs := oidctest.NewKey(t, "2", jose.RS256)
	g.SetKeys(key, rs)
	public, err := (&jose.JSONWebKey{Key: rs.Private.Public(), KeyID: "2"}).MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	shared, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: public, KeyID: "2"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	for name, token := range map[string]string{
		"HS256 with the public key": oidctest.Serialize(t, shared, g.claims(nil)),
		"another issuer":            g.Token(t, g.claims(map[string]any{"iss": "https://accounts.google.com.example.com"})),
		"no issuer":                 g.Token(t, g.claims(map[string]any{"iss": nil})),
		"another audience":          g.Token(t, g.claims(map[string]any{"aud": audience + "/"})),
		"audience in a list":        g.Token(t, g.claims(map[string]any{"aud": []string{audience}})),
		"another email":             g.Token(t, g.claims(map[string]any{"email": "other@acme.iam.gserviceaccount.com"})),
		"no email":                  g.Token(t, g.claims(map[string]any{"email": nil})),
		"email that is not":         g.Token(t, g.claims(map[string]any{"email_verified": false})),
		"email that may be":         g.Token(t, g.claims(map[string]any{"email_verified": nil})),
		"email that is said to be":  g.Token(t, g.claims(map[string]any{"email_verified": "true"})),
		"expired":                   g.Token(t, g.claims(map[string]any{"exp": g.now.Unix() - 1})),
		"no expiry":                 g.Token(t, g.claims(map[string]any{"exp": nil})),
		"another key":               oidctest.NewKey(t, "1", jose.ES256).Sign(t, g.claims(nil)),
		"short signature":           g.Token(t, g.claims(nil))[:200],
		"PS256":                     oidctest.Key{ID: "2", Algorithm: jose.PS256, Private: rs.Private}.Sign(t, g.claims(nil)),
		"RS512":                     oidctest.Key{ID: "2", Algorithm: jose.RS512, Private: rs.Private}.Sign(t, g.claims(nil)),
		"none":                      base64.RawURLEncoding.EncodeToString([]byte(`{"alg":"none"}`)) + ".e30.",
		"empty":                     "",
	} {
		t.Run(name, func(t *testing.T) {
			result, err := g.verify(t, token, sample, secret())
			if !source.IsUnauthenticated(err) || result.Payload != nil {
				t.Errorf("got %+v, %v", result, err)
			}
		})
	}
}

func TestSecretsThatCannotWork(t *testing.T) {
	g := newGoogle(t)
	for _, key := range []string{gcr.EmailKey, gcr.AudienceKey} {
		for _, value := range [][]byte{nil, {}} {
			data := secret()
			data[key] = value
			// A token with empty claims is not to match what is missing.
			_, err := g.verify(t, g.Token(t, g.claims(map[string]any{"email": "", "aud": ""})), sample, data)
			var unavailable *source.UnavailableError
			if !errors.As(err, &unavailable) || !strings.Contains(err.Error(), key) {
				t.Errorf("%s %q: got %v", key, value, err)
			}
		}
	}
}

func TestGoogleIsDown(t *testing.T) {
	g := newGoogle(t)
	g.Answer(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusInternalServerError) })
	_, err := g.verify(t, g.Token(t, g.claims(nil)), sample, secret())
	var unavailable *source.UnavailableError
	if !errors.As(err, &unavailable) {
		t.Errorf("got %v", err)
	}
}

func TestPayload(t *testing.T) {
	g := newGoogle(t)
	token := g.Token(t, g.claims(nil))
	message := func(data string) string {
		return `{"message":{"data":"` + base64.StdEncoding.EncodeToString([]byte(data)) + `"}}`
	}
	const empty = `{"action":"","digest":"","tag":""}`
	for _, test := range []struct{ name, body, want string }{
		{"sample", sample, seen},
		{"data only", message(`{"action":"DELETE","tag":"a:1"}`), `{"action":"DELETE","digest":"","tag":"a:1"}`},
		{"other fields", message(`{"action":"DELETE","more":1}`), `{"action":"DELETE","digest":"","tag":""}`},
		{"empty object", message(`{}`), empty},
		{"null", message(`null`), empty},
		{"no data", `{"message":{"messageId":"1"}}`, ""},
		{"empty data", message(""), ""},
		{"no message", `{}`, ""},
		{"no base64", `{"message":{"data":"%%%"}}`, ""},
		{"no JSON", "planted", ""},
		{"no body", "", ""},
		{"data that is no JSON", message("planted"), ""},
		{"data that is no object", message("[]"), ""},
		{"wrong type", message(`{"action":1}`), ""},
		{"bad time", `{"message":{"publishTime":"planted","data":"e30="}}`, ""},
		{"id of a wrong type", `{"message":{"messageId":1,"data":"e30="}}`, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := g.verify(t, token, test.body, secret())
			var bad *source.PayloadError
			switch {
			case test.want != "" && (err != nil || string(result.Payload) != test.want):
				t.Errorf("got %s, %v", result.Payload, err)
			case test.want == "" && (!errors.As(err, &bad) || strings.Contains(err.Error(), "planted")):
				t.Errorf("got %s, %v", result.Payload, err)
			}
		})
	}
}

// FuzzVerify checks that nothing but Google's token is accepted, and that whatever it is sent with ends in a payload of
// three keys or in an error.
func FuzzVerify(f *testing.F) {
	g := newGoogle(f)
	token := g.Token(f, g.claims(nil))
	signed := token[:strings.LastIndex(token, ".")]
	f.Add(token, []byte(sample))
	f.Add("", []byte("{}"))
	f.Add(token[:len(token)-1], []byte(`{"message":{"data":"e30="}}`))
	f.Fuzz(func(t *testing.T, other string, body []byte) {
		if _, err := g.verify(t, other, string(body), secret()); err == nil && !strings.Contains(other, signed) {
			t.Fatalf("accepted %q", other)
		}
		result, err := g.verify(t, token, string(body), secret())
		var bad *source.PayloadError
		if err != nil && !errors.As(err, &bad) {
			t.Fatalf("%q: %v", body, err)
		}
		if err == nil && strings.Count(string(result.Payload), `":"`) < 3 {
			t.Fatalf("%q: %s", body, result.Payload)
		}
	})
}
