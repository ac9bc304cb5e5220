package zoom

import (
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(query string) func(url string) provider.Config {
	return func(url string) provider.Config {
		return provider.Config{Address: url + "/chat/webhooks/x" + query, Token: "ztok", Channel: "ignored", Username: "ignored"}
	}
}

func TestMessage(t *testing.T) { providertest.CheckMessages(t, New, config("")) }

func TestRequest(t *testing.T) {
	for query, want := range map[string]string{
		"":                    "format=full",
		"?format=":            "format=full",
		"?z=1&format=&a=%2f":  "a=%2F&format=full&z=1",
		"?format=full":        "format=full",
		"?z=1&format=message": "z=1&format=message",
	} {
		r := providertest.Capture(t, New, config(query), providertest.Notification())[0]
		if r.Method != http.MethodPost || r.Path != "/chat/webhooks/x" || r.Query != want || r.Header.Get("Authorization") != "ztok" {
			t.Errorf("%s %s?%s %v, want query %s", r.Method, r.Path, r.Query, r.Header, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, token := range []string{"", "planted\n"} {
		providertest.CheckRefused(t, New, provider.Config{Address: "https://example.org", Token: token}, `"token"`)
	}
}

// TestNothingIsCut checks what a service without limits gets.
func TestNothingIsCut(t *testing.T) {
	for name, n := range providertest.LongNotifications() {
		shown := newMessage(&n.Event).(message).Content.Body
		if shown[0].Text != n.Event.Message || len(shown[1].Items) != len(n.Event.Metadata) {
			t.Errorf("%s: has been cut", name)
		}
	}
}

func TestAnswers(t *testing.T) {
	providertest.CheckAnswers(t, New, config(""), []providertest.Answer{
		{Status: 200},
		{Status: 200, Body: `{"status":"success"}`},
		{Status: 200, Body: `{"code":200,"message":"sent"}`},
		{Status: 200, Body: `{"code":7010,"message":"Invalid authorization token."}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "Zoom responded with error 7010: Invalid authorization token."},
		{Status: 400, Body: `{"message":"Failed to send bot message"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "Failed to send bot message"},
	})
}
