package genericoidc_test

import (
	"encoding/base64"
	"errors"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/genericoidc"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
)

// outcomes of a call, as the hook tells them apart.
const (
	good        = ""
	refused     = "refused"
	unavailable = "unavailable"
)

// fixture is a Receiver like that of spec/receivers.md §6 with an issuer of its own.
type fixture struct {
	issuer   *oidctest.Issuer
	provider v1.OIDCProvider
	now      time.Time
}

func newFixture(t testing.TB) *fixture {
	f := &fixture{issuer: oidctest.Serve(t), now: time.Date(2026, 8, 7, 10, 0, 0, 0, time.UTC)}
	f.provider = v1.OIDCProvider{
		IssuerURL: f.issuer.URL,
		Variables: []v1.OIDCVariable{{Name: "repo", Expression: "claims.repository"}},
		Validations: []v1.OIDCValidation{
			{Expression: "vars.repo == 'acme/shop'", Message: "repository not allowed"},
			{Expression: "claims.ref.startsWith('refs/tags/')", Message: "only tags may deploy"},
		},
	}
	return f
}

// claims are those of a token that is accepted, but for changes. A nil takes a claim away.
func (f *fixture) claims(changes map[string]any) map[string]any {
	claims := map[string]any{
		"iss": f.issuer.URL, "aud": "notification-controller", "exp": f.now.Add(time.Minute).Unix(), "sub": "planted",
		"repository": "acme/shop", "ref": "refs/tags/v1", "run": 7,
	}
	maps.Copy(claims, changes)
	maps.DeleteFunc(claims, func(_ string, value any) bool { return value == nil })
	return claims
}

func (f *fixture) verifier(t testing.TB, providers ...v1.OIDCProvider) source.Verifier {
	t.Helper()
	now := func() time.Time { return f.now }
	config := source.Config{OIDCProviders: append([]v1.OIDCProvider{f.provider}, providers...), Keys: jwks.NewCache(httpx.NewClient(httpx.Options{}), now)}
	verifier, err := genericoidc.Type(now).Build(config)
	if err != nil {
		t.Fatal(err)
	}
	return verifier
}

func call(authorization string) *source.Request {
	return &source.Request{Header: http.Header{"Authorization": {authorization}}, Body: []byte(`{"image":"registry.example.com/shop:1.2.3"}`)}
}

// outcome of a call whose error must not quote the token.
func outcome(t *testing.T, verifier source.Verifier, authorization string) (string, source.Result, error) {
	t.Helper()
	result, err := verifier.Verify(t.Context(), call(authorization), nil)
	var down *source.UnavailableError
	switch {
	case err == nil:
		return good, result, nil
	case strings.Contains(err.Error(), "planted"), len(authorization) > 20 && strings.Contains(err.Error(), authorization[len(authorization)-12:]):
		t.Errorf("the error quotes the token: %v", err)
	}
	if result.Payload != nil || result.Claims != nil {
		t.Errorf("a refused call has the result %+v", result)
	}
	switch {
	case source.IsUnauthenticated(err):
		return refused, result, err
	case errors.As(err, &down):
		return unavailable, result, err
	default:
		t.Fatalf("unexpected error: %v", err)
		return "", result, err
	}
}

func TestVerify(t *testing.T) {
	f := newFixture(t)
	verifier := f.verifier(t)
	got, result, err := outcome(t, verifier, "Bearer "+f.issuer.Token(t, f.claims(nil)))
	if got != good {
		t.Fatalf("refused: %v", err)
	}
	if result.Claims["repository"] != "acme/shop" || result.Claims["run"] != 7.0 || string(result.Payload) != string(call("").Body) {
		t.Errorf("got %+v", result)
	}
}

func TestVerifyClaims(t *testing.T) {
	f := newFixture(t)
	verifier := f.verifier(t)
	at := func(offset time.Duration) int64 { return f.now.Add(offset).Unix() }
	for _, test := range []struct {
		name    string
		changes map[string]any
		want    string
	}{
		{"audience among others", map[string]any{"aud": []string{"other", "notification-controller"}}, good},
		{"another audience", map[string]any{"aud": "other"}, refused},
		{"other audiences", map[string]any{"aud": []any{"other", 7, nil, map[string]any{}}}, refused},
		{"longer audience", map[string]any{"aud": "notification-controller2"}, refused},
		{"no audience", map[string]any{"aud": nil}, refused},
		{"strange audience", map[string]any{"aud": map[string]any{"a": 1}}, refused},
		{"expires now", map[string]any{"exp": at(0)}, good},
		{"expired", map[string]any{"exp": at(-time.Second)}, refused},
		{"expired half a second ago", map[string]any{"exp": float64(at(0)) - 0.5}, refused},
		{"no expiry", map[string]any{"exp": nil}, refused},
		{"expiry that is no number", map[string]any{"exp": "9999999999"}, refused},
		{"not before in 5 minutes", map[string]any{"nbf": at(5 * time.Minute)}, good},
		{"not before in more", map[string]any{"nbf": at(5*time.Minute + time.Second)}, refused},
		{"not before that is no number", map[string]any{"nbf": "planted"}, refused},
		{"issued in the future", map[string]any{"iat": at(time.Hour)}, good},
		{"no issuer", map[string]any{"iss": nil}, refused},
		{"another issuer", map[string]any{"iss": "https://planted.example.com"}, refused},
		{"issuer with a slash", map[string]any{"iss": f.issuer.URL + "/"}, refused},
		{"issuer that is no text", map[string]any{"iss": []string{f.issuer.URL}}, refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, _, err := outcome(t, verifier, "Bearer "+f.issuer.Token(t, f.claims(test.changes))); got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// TestIssuersThatAreNotNamedAreNotAsked has a second issuer that would be good for its own tokens.
func TestIssuersThatAreNotNamedAreNotAsked(t *testing.T) {
	f, other := newFixture(t), oidctest.Serve(t)
	token := other.Token(t, f.claims(map[string]any{"iss": other.URL}))
	if got, _, _ := outcome(t, f.verifier(t), "Bearer "+token); got != refused {
		t.Errorf("got %q", got)
	}
	if asked := other.Requests(); len(asked) > 0 {
		t.Errorf("asked for %q", asked)
	}
	if got, _, err := outcome(t, f.verifier(t, v1.OIDCProvider{IssuerURL: other.URL, Audience: "notification-controller"}), "Bearer "+token); got != good {
		t.Errorf("named: got %q, %v", got, err)
	}
	// Each issuer's keys are good for its own tokens only.
	forged := other.Token(t, f.claims(nil))
	if got, _, _ := outcome(t, f.verifier(t, v1.OIDCProvider{IssuerURL: other.URL}), "Bearer "+forged); got != refused {
		t.Errorf("forged: got %q", got)
	}
}

func TestVerifyHeader(t *testing.T) {
	f := newFixture(t)
	verifier := f.verifier(t)
	token := f.issuer.Token(t, f.claims(nil))
	parts := strings.Split(token, ".")
	join := func(parts ...string) string { return strings.Join(parts, ".") }
	encode := base64.RawURLEncoding.EncodeToString
	for _, test := range []struct{ name, authorization, want string }{
		{"spaces around", "Bearer   " + token + "  ", good},
		{"none", "", refused},
		{"no scheme", token, refused},
		{"another case", "bearer " + token, refused},
		{"another scheme", "Basic " + token, refused},
		{"no token", "Bearer ", refused},
		{"two segments", "Bearer " + join(parts[:2]...), refused},
		{"four segments", "Bearer " + token + ".x", refused},
		{"no signature", "Bearer " + join(parts[0], parts[1], ""), refused},
		{"short signature", "Bearer " + join(parts[0], parts[1], parts[2][:40]), refused},
		{"padding", "Bearer " + join(parts[0], parts[1], parts[2]+"=="), refused},
		{"other claims", "Bearer " + join(parts[0], encode([]byte(`{"iss":"`+f.issuer.URL+`"}`)), parts[2]), refused},
		{"claims that are no object", "Bearer " + join(parts[0], encode([]byte(`[]`)), parts[2]), refused},
		{"two tokens", "Bearer " + token + " " + token, refused},
		{"JSON serialization", `Bearer {"payload":"` + parts[1] + `","protected":"` + parts[0] + `","signature":"` + parts[2] + `"}`, refused},
		{"alg none", "Bearer " + join(encode([]byte(`{"alg":"none","kid":"1"}`)), parts[1], ""), refused},
		{"alg none with a signature", "Bearer " + join(encode([]byte(`{"alg":"none","kid":"1"}`)), parts[1], parts[2]), refused},
		{"alg None", "Bearer " + join(encode([]byte(`{"alg":"None","kid":"1"}`)), parts[1], ""), refused},
		{"no alg", "Bearer " + join(encode([]byte(`{"kid":"1"}`)), parts[1], parts[2]), refused},
		{"critical header", "Bearer " + join(encode([]byte(`{"alg":"ES256","kid":"1","crit":["planted"],"planted":1}`)), parts[1], parts[2]), refused},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got, _, err := outcome(t, verifier, test.authorization); got != test.want {
				t.Errorf("got %q, %v; want %q", got, err, test.want)
			}
		})
	}
}

// TestForgedSignatures has what forgers try with what everybody knows: the public keys.
func TestForgedSignatures(t *testing.T) {
	f := newFixture(t)
	key, second := oidctest.NewKey(t, "1", jose.RS256), oidctest.NewKey(t, "2", jose.ES256)
	f.issuer.SetKeys(key, second)
	verifier := f.verifier(t)
	public := jose.JSONWebKey{Key: key.Private.Public(), KeyID: "1"}
	asJSON, err := public.MarshalJSON()
	if err != nil {
		t.Fatal(err)
	}
	strange := oidctest.NewKey(t, "1", jose.RS256)
	embedded, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.ES256, Key: oidctest.NewKey(t, "", jose.ES256).Private}, &jose.SignerOptions{EmbedJWK: true})
	if err != nil {
		t.Fatal(err)
	}
	withEmbedded, err := embedded.Sign([]byte(`{"iss":"` + f.issuer.URL + `"}`))
	if err != nil {
		t.Fatal(err)
	}
	compact, err := withEmbedded.CompactSerialize()
	if err != nil {
		t.Fatal(err)
	}
	if got, _, err := outcome(t, verifier, "Bearer "+f.issuer.Token(t, f.claims(nil))); got != good {
		t.Fatalf("the real one: got %q, %v", got, err)
	}
	for name, token := range map[string]string{
		"HS256 with the public key":  hs256(t, asJSON, f.claims(nil)),
		"a key of the same name":     strange.Sign(t, f.claims(nil)),
		"a key in the token":         compact,
		"missing kid":                oidctest.Key{Algorithm: key.Algorithm, Private: key.Private}.Sign(t, f.claims(nil)),
		"unknown kid":                oidctest.Key{ID: "9", Algorithm: key.Algorithm, Private: key.Private}.Sign(t, f.claims(nil)),
		"kid of a key of other kind": oidctest.Key{ID: "2", Algorithm: key.Algorithm, Private: key.Private}.Sign(t, f.claims(nil)),
		"not supported algorithm":    oidctest.Key{ID: "1", Algorithm: jose.RS512, Private: key.Private}.Sign(t, f.claims(nil)),
	} {
		t.Run(name, func(t *testing.T) {
			if got, _, err := outcome(t, verifier, "Bearer "+token); got != refused {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

// hs256 signs with a shared secret.
func hs256(t *testing.T, secret []byte, claims map[string]any) string {
	t.Helper()
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.HS256, Key: jose.JSONWebKey{Key: secret, KeyID: "1"}}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return oidctest.Serialize(t, signer, claims)
}

func TestIssuersThatFail(t *testing.T) {
	f := newFixture(t)
	token := f.issuer.Token(t, f.claims(nil))
	for name, answer := range map[string]http.HandlerFunc{
		"down":       func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
		"garbage":    func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("planted")) },
		"huge":       func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(make([]byte, 10<<20)) },
		"hanging up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
	} {
		t.Run(name, func(t *testing.T) {
			f.issuer.Answer(answer)
			if got, _, err := outcome(t, f.verifier(t), "Bearer "+token); got != unavailable {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
	f.issuer.Answer(nil)
	if got, _, err := outcome(t, f.verifier(t), "Bearer "+token); got != good {
		t.Errorf("back: got %q, %v", got, err)
	}
}

func FuzzVerify(f *testing.F) {
	fixture := newFixture(f)
	verifier := fixture.verifier(f)
	token := fixture.issuer.Token(f, fixture.claims(nil))
	parts := strings.Split(token, ".")
	for _, seed := range []string{"", "Bearer ", "Bearer " + token, "bearer " + token, "Bearer " + parts[0] + ".." + parts[2], "Bearer eyJhbGciOiJub25lIn0." + parts[1] + "."} {
		f.Add(seed, seed)
	}
	f.Fuzz(func(t *testing.T, authorization, claims string) {
		forged := "Bearer " + parts[0] + "." + base64.RawURLEncoding.EncodeToString([]byte(claims)) + "." + parts[2]
		for _, header := range []string{authorization, forged} {
			result, err := verifier.Verify(t.Context(), call(header), nil)
			if err == nil && !strings.Contains(header, parts[0]+"."+parts[1]) {
				t.Fatalf("accepted %q: %+v", header, result)
			}
			if err != nil && !source.IsUnauthenticated(err) {
				t.Fatalf("%q: %v", header, err)
			}
		}
	})
}
