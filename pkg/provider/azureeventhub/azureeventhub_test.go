package azureeventhub

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

const connectionString = "Endpoint=sb://Acme.servicebus.windows.net/;SharedAccessKeyName=Send Only;SharedAccessKey=a2V5+/=;EntityPath=flux-events"

// identity is one that has a token for one scope, or has none.
type identity struct {
	provider.Identity
	err error
}

func (i identity) Azure(_ context.Context, scope string) (string, error) {
	return "planted-token-for-" + scope, i.err
}

// TestRevokedToken has the service refuse a token that is kept.
func TestRevokedToken(t *testing.T) {
	service := providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") == "Bearer token-0" {
			w.WriteHeader(http.StatusForbidden)
		}
	})
	cfg := provider.Config{Address: "hub", Channel: "acme", Identity: &providertest.RenewingIdentity{}}
	if err := providertest.Attempt(t, at(service), cfg, providertest.Notification()); err != nil || len(service.Requests()) != 2 {
		t.Errorf("%d requests: %v", len(service.Requests()), err)
	}
}

// at has the requests for Azure reach a service.
func at(service *providertest.Service) providertest.Constructor {
	return func(cfg provider.Config) (provider.Sender, error) {
		s, err := New(cfg)
		if err == nil {
			s.(*sender).url = service.URL + "/flux-events/messages"
		}
		return s, err
	}
}

func TestMessage(t *testing.T) {
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json":  providertest.Notification(),
		"testdata/info.json":   providertest.InfoNotification(),
		"testdata/bare.json":   providertest.BareNotification(),
		"testdata/markup.json": providertest.MarkupNotification(),
	} {
		t.Run(file, func(t *testing.T) {
			service := providertest.Serve(t, providertest.Answering(http.StatusCreated, ""))
			if err := providertest.Attempt(t, at(service), provider.Config{Address: connectionString}, n); err != nil {
				t.Fatal(err)
			}
			r := service.Requests()[0]
			if r.Method != http.MethodPost || r.Header.Get("Content-Type") != contentType {
				t.Errorf("%s of %s", r.Method, r.Header.Get("Content-Type"))
			}
			providertest.Golden(t, file, r.Body)
		})
	}
}

// TestRequest checks where an event goes, and what says that it may.
func TestRequest(t *testing.T) {
	const signature = "SharedAccessSignature sr=https%3a%2f%2facme.servicebus.windows.net%2fflux-events&sig="
	for name, test := range map[string]struct {
		cfg                provider.Config
		authority          string
		url, authorization string
	}{
		"connection string": {
			provider.Config{Address: connectionString}, "",
			"https://Acme.servicebus.windows.net/flux-events/messages?api-version=2014-01", signature,
		},
		"token": {
			provider.Config{Address: "hub", Channel: "acme", Token: "e.y.J\n", Identity: identity{}}, "",
			"https://acme.servicebus.windows.net/hub/messages?api-version=2014-01", "Bearer e.y.J",
		},
		"token for a private cloud": {
			provider.Config{Address: "hub", Channel: "acme.servicebus.example.com", Token: "e.y.J"}, "",
			"https://acme.servicebus.example.com/hub/messages?api-version=2014-01", "Bearer e.y.J",
		},
		"identity": {
			provider.Config{Address: "hub", Channel: "acme.servicebus.windows.net", Identity: identity{}, ServiceAccountName: "flux"}, "",
			"https://acme.servicebus.windows.net/hub/messages?api-version=2014-01", "Bearer planted-token-for-https://eventhubs.azure.net//.default",
		},
		"China": {
			provider.Config{Address: "hub", Channel: "acme", Identity: identity{}}, "https://login.chinacloudapi.cn/",
			"https://acme.servicebus.chinacloudapi.cn/hub/messages?api-version=2014-01", "Bearer planted",
		},
		"government": {
			provider.Config{Address: "hub", Channel: "acme", Identity: identity{}}, "https://login.microsoftonline.us/",
			"https://acme.servicebus.usgovcloudapi.net/hub/messages?api-version=2014-01", "Bearer planted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv(envAuthority, test.authority)
			sent := githosttest.Capture(t, New, test.cfg, providertest.Notification())[0]
			if sent.URL != test.url || !strings.HasPrefix(sent.Header.Get("Authorization"), test.authorization) {
				t.Errorf("%s, Authorization %s", sent.URL, sent.Header.Get("Authorization"))
			}
		})
	}
}

// TestSignature compares a signature with one that was made by openssl:
//
//	printf 'https%%3a%%2f%%2facme.servicebus.windows.net%%2fflux-events\n1786098600' |
//	openssl dgst -sha256 -hmac 'a2V5+/=' -binary | base64
func TestSignature(t *testing.T) {
	_, auth, err := readConnectionString(connectionString, func() time.Time { return time.Unix(1786095000, 0) })
	if err != nil {
		t.Fatal(err)
	}
	got, err := auth.header(t.Context())
	const want = "SharedAccessSignature sr=https%3a%2f%2facme.servicebus.windows.net%2fflux-events&sig=%2BSbBsGdKAwkLRrNgDL2h%2BWvbWObZ1ExHAaM763V7JVw%3D&se=1786098600&skn=Send+Only"
	if err != nil || got != want {
		t.Errorf("got  %s, %v\nwant %s", got, err, want)
	}
}

func TestConnectionStringForms(t *testing.T) {
	for _, text := range []string{
		strings.ReplaceAll(connectionString, ";", " ; ") + ";\n",
		"EntityPath=flux-events;SharedAccessKey=a2V5+/=;SharedAccessKeyName=Send Only;Endpoint=sb://Acme.servicebus.windows.net",
	} {
		at, _, err := readConnectionString(text, time.Now)
		if err != nil || at != (hub{"Acme.servicebus.windows.net", "flux-events"}) {
			t.Errorf("%q: %v, %v", text, at, err)
		}
	}
}

// TestLimits has a namespace of either tier take an event that is too long for both.
func TestLimits(t *testing.T) {
	for name, limit := range map[string]int{"standard": 1 << 20, "basic": 256 << 10} {
		t.Run(name, func(t *testing.T) {
			taken := 0
			service := providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
				body, _ := io.ReadAll(r.Body)
				if len(body) > limit {
					w.WriteHeader(http.StatusRequestEntityTooLarge)
					return
				}
				taken = len(body)
				w.WriteHeader(http.StatusCreated)
			})
			n := providertest.Notification()
			n.Event.Message = strings.Repeat("🚨é<", 200_000)
			if err := providertest.Attempt(t, at(service), provider.Config{Address: connectionString}, n); err != nil {
				t.Fatal(err)
			}
			if taken < limit*9/10 {
				t.Errorf("%d bytes, far below the limit of %d", taken, limit)
			}
		})
	}
}

func TestAnswers(t *testing.T) {
	for status, want := range map[int]struct {
		kind   provider.Kind
		reason provider.Reason
		says   string
	}{
		http.StatusUnauthorized:       {provider.Permanent, provider.ReasonAuth, "shared access policy"},
		http.StatusNotFound:           {provider.Permanent, provider.ReasonNotFound, "spec.address"},
		http.StatusServiceUnavailable: {provider.Transient, provider.ReasonServerError, ""},
	} {
		var told string
		service := providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
			told = r.Header.Get("Authorization")
			w.WriteHeader(status)
			_, _ = io.WriteString(w, "a2V5+/= "+told)
		})
		err := providertest.Attempt(t, at(service), provider.Config{Address: connectionString}, providertest.Notification())
		got := provider.Classify(err)
		if err == nil || got.Kind != want.kind || got.Reason != want.reason || !strings.Contains(err.Error(), want.says) {
			t.Errorf("%d: error %v", status, err)
		}
		if len(service.Requests()) != 1 {
			t.Errorf("%d: %d requests", status, len(service.Requests()))
		}
		_, signature, _ := strings.Cut(told, "sig=")
		if strings.Contains(err.Error(), "a2V5") || strings.Contains(err.Error(), signature[:10]) {
			t.Errorf("%d: the error shows the key or the signature: %v", status, err)
		}
	}
}

func TestIdentityFails(t *testing.T) {
	cfg := provider.Config{Address: "hub", Channel: "acme", Identity: identity{err: provider.Permanentf(provider.ReasonAuth, "no identity")}}
	if got := provider.Classify(providertest.Attempt(t, New, cfg, providertest.Notification())); got.Kind != provider.Permanent || got.Reason != provider.ReasonAuth {
		t.Errorf("error %v", got)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, address := range []string{
		"", "SharedAccessKey", "Endpoint=sb://planted/;SharedAccessKey=planted;EntityPath=hub",
		"Endpoint=planted;SharedAccessKeyName=n;SharedAccessKey=planted;EntityPath=hub",
		"Endpoint=sb://%zz/;SharedAccessKeyName=n;SharedAccessKey=planted;EntityPath=hub",
		"Endpoint=sb://acme/;SharedAccessKeyName=n;SharedAccessKey=planted",
		"Endpoint=sb://acme/;SharedAccessSignature=planted;EntityPath=hub", "sb://planted/", "planted hub",
	} {
		providertest.CheckRefused(t, New, provider.Config{Address: address, Channel: "acme", Identity: identity{}}, "spec.address")
	}
	// A token of an identity goes nowhere else, whatever the channel makes of the URL.
	for _, channel := range []string{
		"", "planted/", "planted.example.com/?", "user@planted", "acme.servicebus.planted.example.com", "planted.example.com/.servicebus.windows.net",
		"planted.example.com#.servicebus.windows.net", "planted.example.com:443#", "acme.servicebus.windows.net:8443", "a b", "a\nb",
	} {
		providertest.CheckRefused(t, New, provider.Config{Address: "hub", Channel: channel, Identity: identity{}}, "spec.channel")
	}
	const conflict = "invalid authentication options"
	providertest.CheckRefused(t, New, provider.Config{Address: connectionString, ServiceAccountName: "flux"}, conflict)
	providertest.CheckRefused(t, New, provider.Config{Address: connectionString, Token: "planted"}, conflict)
	providertest.CheckRefused(t, New, provider.Config{Address: "hub", Channel: "acme", Token: "planted", ServiceAccountName: "flux"}, conflict)
	providertest.CheckRefused(t, New, provider.Config{Address: "hub", Channel: "acme"}, `"token"`)
	providertest.CheckRefused(t, New, provider.Config{Address: "hub", Channel: "acme", Token: "planted\nx"}, `"token"`)
}
