package discord

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/api/webhooks/1/abc", Channel: "ignored", Token: "ignored"}
}

func TestMessage(t *testing.T) { providertest.CheckMessages(t, New, config) }

func TestRequest(t *testing.T) {
	r := providertest.Capture(t, New, config, providertest.Notification())[0]
	if r.Method != http.MethodPost || r.Path != "/api/webhooks/1/abc/slack" || r.Header.Get("Authorization") != "" {
		t.Errorf("%s %s %v", r.Method, r.Path, r.Header)
	}
}

func TestAddress(t *testing.T) {
	for address, want := range map[string]string{
		"https://discord.com/api/webhooks/1/abc":                   "https://discord.com/api/webhooks/1/abc/slack",
		"https://discord.com/api/webhooks/1/abc/":                  "https://discord.com/api/webhooks/1/abc/slack",
		"https://discord.com/api/webhooks/1/abc?wait=true":         "https://discord.com/api/webhooks/1/abc/slack?wait=true",
		"https://discord.com/api/webhooks/1/abc/slack":             "https://discord.com/api/webhooks/1/abc/slack",
		"https://discord.com/api/webhooks/1/abc/slack?thread_id=5": "https://discord.com/api/webhooks/1/abc/slack?thread_id=5",
		"http://127.0.0.1:1":                                       "http://127.0.0.1:1/slack",
	} {
		u, err := url.Parse(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := slackAddress(u); got != want {
			t.Errorf("%s: %s, want %s", address, got, want)
		}
	}
}

func TestUsername(t *testing.T) {
	e := providertest.Notification().Event
	for username, want := range map[string]string{
		"":                       "kustomize-controller",
		"flux":                   "flux",
		strings.Repeat("🚨", 100): strings.Repeat("🚨", 79) + "…",
	} {
		if got := newMessage(&e, username).Username; got != want {
			t.Errorf("username %q is sent as %q, want %q", username, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	notifications := providertest.LongNotifications()
	longName := providertest.Notification()
	longName.Event.InvolvedObject.Name = strings.Repeat("a", 300)
	notifications["long name"] = longName
	for name, n := range notifications {
		shown := newMessage(&n.Event, "").Attachments[0]
		total := 0
		check := func(what, text string, limit int) {
			length := utf8.RuneCountInString(text)
			total += length
			if length > limit || length == limit && !strings.HasSuffix(text, provider.Ellipsis) {
				t.Errorf("%s: %s has %d characters, or is not marked", name, what, length)
			}
		}
		check("author", shown.AuthorName, maxAuthor)
		check("text", shown.Text, maxText)
		for _, field := range shown.Fields {
			check("title", field.Title, maxTitle)
			check("value", field.Value, maxValue)
		}
		if total > maxTotal || len(shown.Fields) > maxFields {
			t.Errorf("%s: %d characters, %d fields", name, total, len(shown.Fields))
		}
	}
}

func TestAnswers(t *testing.T) {
	throttled := func(after time.Duration) *provider.Error {
		return &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: after}
	}
	const limited = `{"message":"You are being rate limited.","retry_after":1.25,"global":false}`
	providertest.CheckAnswers(t, New, config, []providertest.Answer{
		{Status: 204},
		{Status: 200, Body: "ok"},
		{Status: 429, Body: limited, Want: throttled(1250 * time.Millisecond), Says: "You are being rate limited."},
		{Status: 429, Body: limited, Header: []string{"Retry-After", "2"}, Want: throttled(2 * time.Second)},
		{Status: 429, Header: []string{"X-RateLimit-Reset-After", "0.5"}, Want: throttled(500 * time.Millisecond)},
		{Status: 429, Body: `{"retry_after":1e300}`, Want: throttled(24 * time.Hour)},
		{Status: 429, Body: `{"retry_after":-1}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonRateLimited}},
		{Status: 429, Header: []string{"X-RateLimit-Reset-After", "soon"}, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonRateLimited}},
		{Status: 400, Body: `{"retry_after":1}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}},
		{Status: 404, Body: `{"message":"Unknown Webhook","code":10015}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonNotFound}, Says: "Unknown Webhook"},
	})
}
