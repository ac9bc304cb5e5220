package googlepubsub

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// These tests talk to a fake: Google's pstest (cloud.google.com/go/pubsub/pstest) speaks gRPC only, and not the REST API.

// identity is one that has a token, or has none.
type identity struct {
	provider.Identity
	err error
}

func (i identity) Google(context.Context) (string, error) { return "planted-identity-token", i.err }

func (identity) ForgetGoogle() {}

// TestRevokedToken has the service refuse a token that is kept.
func TestRevokedToken(t *testing.T) {
	service := providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-0" {
			w.WriteHeader(http.StatusUnauthorized)
		}
	})
	cfg := config(service.URL)
	cfg.Identity = &providertest.RenewingIdentity{}
	if err := providertest.Attempt(t, newPublisher, cfg, providertest.Notification()); err != nil || len(service.Requests()) != 2 {
		t.Errorf("%d requests: %v", len(service.Requests()), err)
	}
}

// newPublisher has the projects at the address, and project acme.
func newPublisher(cfg provider.Config) (provider.Sender, error) {
	apiURL := cfg.Address
	cfg.Address = "acme"
	return newAuthorized(cfg, apiURL)
}

func config(url string) provider.Config {
	return provider.Config{Address: url, Channel: "flux", Identity: identity{}}
}

func TestMessage(t *testing.T) {
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json":  providertest.Notification(),
		"testdata/info.json":   providertest.InfoNotification(),
		"testdata/bare.json":   providertest.BareNotification(),
		"testdata/markup.json": providertest.MarkupNotification(),
	} {
		t.Run(file, func(t *testing.T) {
			r := providertest.Capture(t, newPublisher, config, n)[0]
			if r.Method != "POST" || r.Path != "/v1/projects/acme/topics/flux:publish" || r.Header.Get("Authorization") != "Bearer planted-identity-token" {
				t.Errorf("%s %s, Authorization %q", r.Method, r.Path, r.Header.Get("Authorization"))
			}
			var sent request
			if err := json.Unmarshal(r.Body, &sent); err != nil {
				t.Fatal(err)
			}
			// Without attributes there is no field for them.
			if want := `{"messages":[{"data":"` + base64.StdEncoding.EncodeToString(sent.Messages[0].Data) + `"}]}`; string(r.Body) != want {
				t.Errorf("got  %s\nwant %s", r.Body, want)
			}
			providertest.Golden(t, file, sent.Messages[0].Data)
		})
	}
}

func TestAttributes(t *testing.T) {
	r := providertest.Capture(t, newPublisher, func(url string) provider.Config {
		cfg := config(url)
		cfg.Headers = map[string]string{"b": "2", "a": "1"}
		return cfg
	}, providertest.Notification())[0]
	if !strings.HasSuffix(string(r.Body), `","attributes":{"a":"1","b":"2"}}]}`) {
		t.Errorf("body %s", r.Body)
	}
}

func TestTopic(t *testing.T) {
	for channel, want := range map[string]string{
		"flux":                            "/v1/projects/acme/topics/flux:publish",
		"projects/other/topics/flux":      "/v1/projects/other/topics/flux:publish",
		"projects/example.com:p/topics/f": "/v1/projects/example.com:p/topics/f:publish",
		"a?b#c":                           "/v1/projects/acme/topics/a%3Fb%23c:publish",
	} {
		r := providertest.Capture(t, newPublisher, func(url string) provider.Config {
			cfg := config(url)
			cfg.Channel = channel
			return cfg
		}, providertest.Notification())[0]
		if r.Path != want {
			t.Errorf("channel %s: path %s, want %s", channel, r.Path, want)
		}
	}
	s, err := New(provider.Config{Address: "acme", Channel: "flux", Identity: identity{}})
	if err != nil || s.(*sender).url != "https://pubsub.googleapis.com/v1/projects/acme/topics/flux:publish" {
		t.Errorf("%+v, %v", s, err)
	}
}

// TestEmulator has the environment name one, which knows nobody.
func TestEmulator(t *testing.T) {
	r := providertest.Capture(t, func(cfg provider.Config) (provider.Sender, error) {
		t.Setenv("PUBSUB_EMULATOR_HOST", strings.TrimPrefix(cfg.Address, "http://"))
		return New(provider.Config{Address: "acme", Channel: "flux", Client: cfg.Client})
	}, config, providertest.Notification())[0]
	if _, ok := r.Header["Authorization"]; ok || r.Path != "/v1/projects/acme/topics/flux:publish" {
		t.Errorf("%s %s, headers %v", r.Method, r.Path, r.Header)
	}
}

// TestLimit has an event that JSON makes longer than a message may be.
func TestLimit(t *testing.T) {
	n := providertest.Notification()
	n.Event.Message = strings.Repeat("<", maxData/5)
	r := providertest.Capture(t, newPublisher, func(url string) provider.Config {
		cfg := config(url)
		cfg.Headers = map[string]string{}
		for i := range maxAttributes {
			cfg.Headers[fmt.Sprintf("%0256d", i)] = strings.Repeat("\x01", maxAttributeValue)
		}
		return cfg
	}, n)[0]
	if len(r.Body) > maxRequest || len(r.Body) < maxRequest*9/10 {
		t.Errorf("%d bytes, want at most %d", len(r.Body), maxRequest)
	}
	var sent request
	if err := json.Unmarshal(r.Body, &sent); err != nil || len(sent.Messages[0].Data) > maxData {
		t.Fatalf("%d bytes of data: %v", len(sent.Messages[0].Data), err)
	}
	if message := providertest.Field(t, string(sent.Messages[0].Data), "message"); !strings.HasSuffix(message, "<"+provider.Ellipsis) {
		t.Errorf("not marked as cut: %q", message[len(message)-20:])
	}
}

// credentials returns JSON credentials of a type with a key.
func credentials(t *testing.T, typ string, key *rsa.PrivateKey) string {
	t.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(map[string]string{
		"type": typ, "client_email": "flux@acme.iam.gserviceaccount.com", "private_key_id": "key-1",
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		"token_uri":   "http://planted.invalid/token",
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestKey checks the token that is made of a key, which comes before the identity, and that it is made once.
func TestKey(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	service := providertest.Serve(t, providertest.Answering(200, "{}"))
	cfg := config(service.URL)
	cfg.Token = credentials(t, "service_account", key) + "\n"
	if err := providertest.Attempt(t, newPublisher, cfg, providertest.Notification()); err != nil {
		t.Fatal(err)
	}
	token, ok := strings.CutPrefix(service.Requests()[0].Header.Get("Authorization"), "Bearer ")
	parsed, err := jwt.ParseSigned(token, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil || !ok {
		t.Fatalf("%q: %v", token, err)
	}
	var claims struct {
		jwt.Claims
		Scope string `json:"scope"`
	}
	if err := parsed.Claims(&key.PublicKey, &claims); err != nil {
		t.Fatal(err)
	}
	if claims.Issuer != "flux@acme.iam.gserviceaccount.com" || claims.Subject != claims.Issuer || claims.Scope != scope ||
		parsed.Headers[0].KeyID != "key-1" || time.Until(claims.Expiry.Time()) < 50*time.Minute {
		t.Errorf("claims %+v, header %+v", claims, parsed.Headers[0])
	}
	auth, err := authorize(cfg)
	if err != nil {
		t.Fatal(err)
	}
	first, _ := auth.token(t.Context())
	if second, err := auth.token(t.Context()); err != nil || second != first {
		t.Errorf("another token is made for each event: %v", err)
	}
}

func TestIdentityFails(t *testing.T) {
	cfg := config("http://unused.invalid")
	cfg.Identity = identity{err: provider.Permanentf(provider.ReasonAuth, "no identity")}
	err := providertest.Attempt(t, newPublisher, cfg, providertest.Notification())
	if got := provider.Classify(err); got.Kind != provider.Permanent || got.Reason != provider.ReasonAuth {
		t.Errorf("error %v", err)
	}
}

func TestAnswers(t *testing.T) {
	said := func(code int, status string) string {
		return fmt.Sprintf(`{"error":{"code":%d,"message":"planted-identity-token","status":%q}}`, code, status)
	}
	providertest.CheckAnswers(t, newPublisher, config, []providertest.Answer{
		{Status: 200, Body: `{"messageIds":["1"]}`},
		{Status: 401, Body: said(401, "UNAUTHENTICATED"), Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}, Says: provider.Mask},
		{Status: 403, Body: said(403, "PERMISSION_DENIED"), Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}, Says: "roles/pubsub.publisher"},
		{Status: 404, Body: said(404, "NOT_FOUND"), Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonNotFound}, Says: "spec.channel"},
		{Status: 409, Body: said(409, "ABORTED"), Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 499, Body: said(499, "CANCELLED"), Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 429, Body: said(429, "RESOURCE_EXHAUSTED"), Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonRateLimited}},
		{Status: 503, Body: said(503, "UNAVAILABLE"), Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 400, Body: said(400, "INVALID_ARGUMENT"), Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}},
	})
}

func TestConfigErrors(t *testing.T) {
	valid := provider.Config{Address: "acme", Channel: "flux", Identity: identity{}}
	refused := func(field string, change func(*provider.Config)) {
		t.Helper()
		cfg := valid
		change(&cfg)
		providertest.CheckRefused(t, New, cfg, field)
	}
	refused("spec.address", func(cfg *provider.Config) { cfg.Address = "" })
	for _, channel := range []string{"", "a/b", "projects//topics/t", "topics/p/projects/t", "projects/p/topics/t/planted"} {
		refused("spec.channel", func(cfg *provider.Config) { cfg.Channel = channel })
	}
	many := map[string]string{}
	for i := range maxAttributes + 1 {
		many[fmt.Sprint(i)] = "planted"
	}
	for _, attributes := range []map[string]string{
		many, {"": "planted"}, {strings.Repeat("n", maxAttributeName+1): "planted"}, {"n": strings.Repeat("planted", 147)},
	} {
		refused(`"headers"`, func(cfg *provider.Config) { cfg.Headers = attributes })
	}
	refused(`"token"`, func(cfg *provider.Config) { cfg.Identity = nil })
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	// External accounts have the reader of the credentials read files of its own.
	for _, token := range []string{
		"planted", `{}`, `{"type":"service_account","private_key":"planted"}`,
		credentials(t, "external_account", key), credentials(t, "authorized_user", key), credentials(t, "impersonated_service_account", key),
	} {
		refused(`"token"`, func(cfg *provider.Config) { cfg.Token = token })
	}
	large, err := json.Marshal(map[string]string{
		"type": "service_account", "private_key": string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: make([]byte, 20_000)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	refused(provider.SecretKey("token")+": field private_key cannot be used: the key has 20000 bytes", func(cfg *provider.Config) { cfg.Token = string(large) })
}
