package slack

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// newMethod takes whatever the address is for that of the Web API.
func newMethod(cfg provider.Config) (provider.Sender, error) { return newSender(cfg, cfg.Address) }

func answering(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}

// TestMethodCompliance runs the suite over what the table cannot reach: Slack's own address.
func TestMethodCompliance(t *testing.T) {
	row := provider.Type{Name: "slack", Title: "Slack", New: newMethod, NeedsAddress: true, SecretKeys: []string{"token"}}
	providertest.Run(t, row, providertest.Fixture{
		Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/api/planted-path", Token: "xoxb-planted-token", Channel: "general"}
		},
		Success:     answering(http.StatusOK, `{"ok":true,"channel":"C123ABC456","ts":"1503435956.000247"}`),
		ReadsAnswer: true,
	})
}

func TestMessage(t *testing.T) {
	bare := providertest.InfoNotification()
	bare.Event.Metadata = nil
	bare.Event.Message = ""
	for _, test := range []struct {
		file          string
		cfg           provider.Config
		n             *provider.Notification
		authorization string
	}{
		{"testdata/error.json", provider.Config{Channel: "general"}, providertest.Notification(), ""},
		{"testdata/info.json", provider.Config{Username: "flux", Token: "xoxb-1"}, providertest.InfoNotification(), "Bearer xoxb-1"},
		{"testdata/bare.json", provider.Config{}, bare, ""},
	} {
		t.Run(test.file, func(t *testing.T) {
			service := providertest.Serve(t, answering(http.StatusOK, "ok"))
			test.cfg.Address = service.URL + "/services/x"
			test.cfg.Client = httpx.NewClient(httpx.Options{})
			defer test.cfg.Client.CloseIdleConnections()
			sender, err := New(test.cfg)
			if err != nil {
				t.Fatal(err)
			}
			if err := sender.Send(t.Context(), test.n); err != nil {
				t.Fatal(err)
			}
			r := service.Requests()[0]
			if r.Method != http.MethodPost || r.Path != "/services/x" || r.Header.Get("Content-Type") != "application/json" {
				t.Errorf("%s %s %s", r.Method, r.Path, r.Header.Get("Content-Type"))
			}
			if got := r.Header.Get("Authorization"); got != test.authorization {
				t.Errorf("Authorization is %q, want %q", got, test.authorization)
			}
			providertest.Golden(t, test.file, r.Body)
		})
	}
}

func TestMessageColor(t *testing.T) {
	for severity, want := range map[string]string{"error": "danger", "info": "good", "trace": "good", "Error": "good", "": "good"} {
		if got := newMessage(&event.Event{Severity: severity}, "", "").Attachments[0].Color; got != want {
			t.Errorf("severity %q has color %q, want %q", severity, got, want)
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
		if got := s.(*sender).isMethod; got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}

func TestWebhookIgnoresBody(t *testing.T) {
	if err := attempt(t, New, answering(http.StatusOK, `{"ok":false,"error":"invalid_auth"}`)); err != nil {
		t.Errorf("Send: %v", err)
	}
}

func TestMethodAnswers(t *testing.T) {
	for _, test := range []struct {
		status int
		body   string
		header []string
		want   *provider.Error
		says   string
	}{
		{status: 200, body: `{"ok":true}`},
		{status: 201, body: ` {"ok":true,"warning":"missing_charset"} `},
		// The status does not count when the body says yes.
		{status: 404, body: `{"ok":true}`},
		{status: 200, body: `{"ok":false,"error":"invalid_auth"}`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}, says: "Slack responded with error: invalid_auth"},
		{status: 200, body: `{"ok":false,"error":"missing_scope"}`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}},
		{status: 200, body: `{"ok":false,"error":"token_revoked"}`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}},
		{status: 200, body: `{"ok":false,"error":"channel_not_found"}`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonNotFound}},
		{status: 200, body: `{"ok":false,"error":"msg_too_long"}`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}},
		{status: 200, body: `{"ok":false,"error":"of tomorrow"}`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}},
		{status: 403, body: `{"ok":false,"error":"is_archived"}`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonNotFound}},
		{status: 200, body: `{"ok":false,"error":"ratelimited"}`, want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 30 * time.Second}},
		{status: 200, body: `{"ok":false,"error":"rate_limited"}`, header: []string{"Retry-After", "3"}, want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 3 * time.Second}},
		{status: 429, body: `{"ok":false,"error":"ratelimited"}`, header: []string{"Retry-After", "4"}, want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 4 * time.Second}},
		{status: 200, body: `{"ok":false,"error":"fatal_error"}`, want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{status: 200, body: `{"ok":false,"error":"internal_error"}`, want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{status: 200, body: `{"ok":false,"error":"service_unavailable"}`, want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{status: 500, body: `{"ok":true}`, want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{status: 200, body: `<html>proxy</html>`, want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}, says: "<html>proxy</html>"},
		{status: 200, body: ``, want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}},
		{status: 200, body: `{"ok":false}`, want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}},
		{status: 200, body: `{"ok":"yes"}`, want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}},
		{status: 403, body: `{}`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}},
		{status: 302, body: `moved`, want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRedirect}},
	} {
		err := attempt(t, newMethod, answering(test.status, test.body, test.header...))
		if err == nil || test.want == nil {
			if err != nil || test.want != nil {
				t.Errorf("%d %s: error %v, want %+v", test.status, test.body, err, test.want)
			}
			continue
		}
		got := provider.Classify(err)
		if got.Kind != test.want.Kind || got.Reason != test.want.Reason || got.RetryAfter != test.want.RetryAfter || !strings.Contains(err.Error(), test.says) {
			t.Errorf("%d %s: error %+v, want %+v", test.status, test.body, got, test.want)
		}
	}
}

// attempt sends the reference notification to a service.
func attempt(t *testing.T, construct func(provider.Config) (provider.Sender, error), service http.HandlerFunc) error {
	t.Helper()
	client := httpx.NewClient(httpx.Options{})
	defer client.CloseIdleConnections()
	sender, err := construct(provider.Config{Address: providertest.Serve(t, service).URL + "/x", Client: client})
	if err != nil {
		t.Fatal(err)
	}
	return sender.Send(t.Context(), providertest.Notification())
}

func TestConfigErrors(t *testing.T) {
	for _, test := range []struct {
		cfg   provider.Config
		names string
	}{
		{provider.Config{}, "spec.address"},
		{provider.Config{Address: "hooks.slack.com/services/planted"}, "spec.address"},
		{provider.Config{Address: "https://hooks.slack.com/x", Token: "planted\n"}, `"token"`},
	} {
		_, err := New(test.cfg)
		if err == nil || provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), test.names) || strings.Contains(err.Error(), "planted") {
			t.Errorf("not permanent, does not name %s, or shows a secret: %v", test.names, err)
		}
	}
}
