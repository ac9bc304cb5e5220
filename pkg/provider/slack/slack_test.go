package slack

import (
	"bytes"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// newMethod takes whatever the address is for that of the Web API.
func newMethod(cfg provider.Config) (provider.Sender, error) { return newSender(cfg, cfg.Address) }

// TestMethodCompliance runs the suite over what the table cannot reach: Slack's own address.
func TestMethodCompliance(t *testing.T) {
	row := provider.Type{Name: "slack", Title: "Slack", New: newMethod, NeedsAddress: true, SecretKeys: []string{"token"}}
	providertest.Run(t, row, providertest.Fixture{
		Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/api/planted-path", Token: "xoxb-planted-token", Channel: "general"}
		},
		Success:     providertest.Answering(http.StatusOK, `{"ok":true,"channel":"C123ABC456","ts":"1503435956.000247"}`),
		ReadsAnswer: true,
	})
}

// webhook is the type with the address of a webhook.
func config(cfg provider.Config) func(url string) provider.Config {
	return func(url string) provider.Config {
		cfg.Address = url + "/services/x"
		return cfg
	}
}

func TestMessage(t *testing.T) {
	providertest.CheckMessages(t, New, config(provider.Config{Channel: "general"}))
}

func TestRequest(t *testing.T) {
	for _, test := range []struct {
		cfg                     provider.Config
		authorization, username string
	}{
		{provider.Config{}, "", "kustomize-controller"},
		{provider.Config{Username: "flux", Token: "xoxb-1"}, "Bearer xoxb-1", "flux"},
	} {
		r := providertest.Capture(t, New, config(test.cfg), providertest.Notification())[0]
		if r.Method != http.MethodPost || r.Path != "/services/x" || r.Header.Get("Content-Type") != "application/json" {
			t.Errorf("%s %s %s", r.Method, r.Path, r.Header.Get("Content-Type"))
		}
		if got := r.Header.Get("Authorization"); got != test.authorization {
			t.Errorf("Authorization is %q, want %q", got, test.authorization)
		}
		if want := `"username":"` + test.username + `"`; !bytes.Contains(r.Body, []byte(want)) {
			t.Errorf("no %s in %s", want, r.Body)
		}
	}
}

func TestLimits(t *testing.T) {
	for name, n := range providertest.LongNotifications() {
		shown := newMessage(&n.Event, "", "").Attachments[0]
		if got := utf8.RuneCountInString(shown.Text); got > maxText || got == maxText && !strings.HasSuffix(shown.Text, provider.Ellipsis) {
			t.Errorf("%s: a text of %d characters, or not marked", name, got)
		}
		if got := len(shown.Fields); got > maxFields {
			t.Errorf("%s: %d fields", name, got)
		}
		for _, field := range shown.Fields {
			if got := utf8.RuneCountInString(field.Value); got > maxValue {
				t.Errorf("%s: a value of %d characters", name, got)
			}
		}
	}
}

// TestMethodURL checks that only the one URL has its answers read.
func TestMethodURL(t *testing.T) {
	for address, want := range map[string]bool{
		"https://slack.com/api/chat.postMessage":     true,
		"https://slack.com/api/chat.postMessage/":    false,
		"https://slack.com/api/chat.postMessage?a=b": false,
		"http://slack.com/api/chat.postMessage":      false,
		"https://slack-gov.com/api/chat.postMessage": false,
		"https://hooks.slack.com/services/T0/B0/abc": false,
	} {
		s, err := New(provider.Config{Address: address})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.(*chat.Poster).Verdict != nil; got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}

func TestWebhookIgnoresBody(t *testing.T) {
	providertest.CheckAnswers(t, New, config(provider.Config{}), []providertest.Answer{{Status: 200, Body: `{"ok":false,"error":"invalid_auth"}`}})
}

func TestMethodAnswers(t *testing.T) {
	providertest.CheckAnswers(t, newMethod, config(provider.Config{}), []providertest.Answer{
		{Status: 200, Body: `{"ok":true}`},
		{Status: 201, Body: ` {"ok":true,"warning":"missing_charset"} `},
		// The status does not count when the body says yes.
		{Status: 404, Body: `{"ok":true}`},
		{Status: 200, Body: `{"ok":false,"error":"invalid_auth"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}, Says: "Slack responded with error: invalid_auth"},
		{Status: 200, Body: `{"ok":false,"error":"missing_scope"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}},
		{Status: 200, Body: `{"ok":false,"error":"token_revoked"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}},
		{Status: 200, Body: `{"ok":false,"error":"channel_not_found"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonNotFound}},
		{Status: 200, Body: `{"ok":false,"error":"msg_too_long"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}},
		{Status: 200, Body: `{"ok":false,"error":"of tomorrow"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}},
		{Status: 403, Body: `{"ok":false,"error":"is_archived"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonNotFound}},
		{Status: 200, Body: `{"ok":false,"error":"ratelimited"}`, Want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 30 * time.Second}},
		{Status: 200, Body: `{"ok":false,"error":"rate_limited"}`, Header: []string{"Retry-After", "3"}, Want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 3 * time.Second}},
		{Status: 429, Body: `{"ok":false,"error":"ratelimited"}`, Header: []string{"Retry-After", "4"}, Want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 4 * time.Second}},
		{Status: 200, Body: `{"ok":false,"error":"fatal_error"}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 200, Body: `{"ok":false,"error":"internal_error"}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 200, Body: `{"ok":false,"error":"service_unavailable"}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 500, Body: `{"ok":true}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 200, Body: `<html>proxy</html>`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}, Says: "<html>proxy</html>"},
		{Status: 200, Body: ``, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}},
		{Status: 200, Body: `{"ok":false}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}},
		{Status: 200, Body: `{"ok":"yes"}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}},
		{Status: 403, Body: `{}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}},
		{Status: 302, Body: `moved`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRedirect}},
	})
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "hooks.slack.com/services/planted"}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "https://hooks.slack.com/x", Token: "planted\n"}, `"token"`)
}
