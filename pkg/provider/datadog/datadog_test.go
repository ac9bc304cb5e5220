package datadog

import (
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/ignored?a=b", Token: "dtok"}
}

func TestPost(t *testing.T) {
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json": providertest.Notification(),
		"testdata/info.json":  providertest.InfoNotification(),
		"testdata/bare.json":  providertest.BareNotification(),
	} {
		t.Run(file, func(t *testing.T) {
			r := providertest.Capture(t, New, config, n)[0]
			if r.Method != http.MethodPost || r.Path != "/api/v1/events" || r.Query != "" {
				t.Errorf("%s %s?%s", r.Method, r.Path, r.Query)
			}
			if r.Header.Get("DD-API-KEY") != "dtok" || r.Header.Get("Accept") != "application/json" {
				t.Errorf("headers %v", r.Header)
			}
			providertest.Golden(t, file, r.Body)
		})
	}
}

func TestAddress(t *testing.T) {
	for address, want := range map[string]string{
		"":                            "https://api.datadoghq.com/api/v1/events",
		"https://api.datadoghq.eu":    "https://api.datadoghq.eu/api/v1/events",
		"https://api.datadoghq.eu/x/": "https://api.datadoghq.eu/api/v1/events",
		"http://localhost:8126":       "http://localhost:8126/api/v1/events",
		// Flux would send this to US1, whatever it says.
		"api.us5.datadoghq.com": "https://api.us5.datadoghq.com/api/v1/events",
	} {
		s, err := New(provider.Config{Address: address, Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.(*sender).url; got != want {
			t.Errorf("address %q: URL %q, want %q", address, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	n := providertest.LongNotification()
	p := newPost(&n.Event)
	providertest.CheckCut(t, "text", p.Text, maxText, utf8.RuneCountInString)
	providertest.CheckCut(t, "tag of a name", p.Tags[3], maxTag, utf8.RuneCountInString)
	providertest.CheckCut(t, "tag of metadata", p.Tags[6], maxTag, utf8.RuneCountInString)
	if len(p.Tags) != 5+len(n.Event.Metadata) {
		t.Errorf("%d tags", len(p.Tags))
	}
}

func TestNoTime(t *testing.T) {
	if p := newPost(&event.Event{}); p.DateHappened != 0 {
		t.Errorf("happened at %d", p.DateHappened)
	}
}

func TestLowerCase(t *testing.T) {
	p := newPost(&event.Event{Metadata: map[string]string{"Team": "Web"}})
	if got := strings.Join(p.Tags[5:], ","); got != "team:web" {
		t.Errorf("tags %s", got)
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{}, `"token"`)
	providertest.CheckRefused(t, New, provider.Config{Token: "planted\n"}, `"token"`)
	providertest.CheckRefused(t, New, provider.Config{Token: "t", Address: "planted host"}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Token: "t", Address: "ftp://planted"}, "spec.address")
}
