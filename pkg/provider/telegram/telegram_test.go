package telegram

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// newBot has the bots at the address, which the type does not use.
func newBot(cfg provider.Config) (provider.Sender, error) { return newSender(cfg, cfg.Address) }

func config(channel string) func(url string) provider.Config {
	return func(url string) provider.Config {
		return provider.Config{Address: url, Channel: channel, Token: "123456:a-b_C", Username: "ignored"}
	}
}

func TestMessage(t *testing.T) { providertest.CheckMessages(t, newBot, config("-1552289257:1")) }

func TestRequest(t *testing.T) {
	r := providertest.Capture(t, newBot, config("@name"), providertest.Notification())[0]
	if r.Method != http.MethodPost || r.Path != "/bot123456:a-b_C/sendMessage" || r.Header.Get("Authorization") != "" {
		t.Errorf("%s %s %v", r.Method, r.Path, r.Header)
	}
}

func TestAddress(t *testing.T) {
	s, err := New(provider.Config{Address: "https://example.org", Channel: "@name", Token: "123456:a-b_C"})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := s.(*chat.Poster).URL, "https://api.telegram.org/bot123456:a-b_C/sendMessage"; got != want {
		t.Errorf("address %s, want %s", got, want)
	}
}

func TestChannel(t *testing.T) {
	for channel, want := range map[string]string{
		"-1552289257":     `{"chat_id":"-1552289257","text"`,
		"-1552289257:1":   `{"chat_id":"-1552289257","message_thread_id":"1","text"`,
		"-1552289257:1:2": `{"chat_id":"-1552289257","message_thread_id":"1:2","text"`,
		"-1552289257:":    `{"chat_id":"-1552289257","text"`,
		"@name":           `{"chat_id":"@name","text"`,
	} {
		if got := providertest.Capture(t, newBot, config(channel), providertest.Notification())[0].Body; !strings.HasPrefix(string(got), want) {
			t.Errorf("channel %s: body %.80s, want %s", channel, got, want)
		}
	}
}

func TestText(t *testing.T) {
	e := event.Event{
		InvolvedObject: event.ObjectReference{Kind: "GitRepository", Namespace: "gitops-system", Name: "webapp"},
		Severity:       "info",
		Message:        `a\_b`,
		Metadata:       map[string]string{"kubernetes.io/somekey": "some.value"},
	}
	want := "*💫 gitrepository/webapp/gitops\\-system*\na\\\\\\_b\n\\- *kubernetes\\.io/somekey*: some\\.value\n"
	if got := text(&e, chat.NewContent(&e)); got != want {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	const special = "\\.-_[]()~>`#+=|{}!*"
	if got, want := escape("<:@/"+special), `<:@/\\\.\-\_\[\]\(\)\~\>`+"\\`"+`\#\+\=\|\{\}\!\*`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{Token: "planted"}, "spec.channel")
	for _, token := range []string{"", "planted\n", "planted token", "planted/token", "planted?token", "planted%zz"} {
		providertest.CheckRefused(t, New, provider.Config{Channel: "@name", Token: token}, `"token"`)
	}
}

func TestLimits(t *testing.T) {
	providertest.CheckLimit(t, newBot, config("@name"), maxText, func(body []byte) int {
		var sent message
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Error(err)
		}
		if strings.HasSuffix(strings.TrimSuffix(sent.Text, provider.Ellipsis), `\`) {
			t.Error("cut between a backslash and what it escapes")
		}
		return chat.Characters(sent.Text)
	})
}

func TestAnswers(t *testing.T) {
	const limited = `{"ok":false,"error_code":429,"description":"Too Many Requests: retry after 35","parameters":{"retry_after":35}}`
	throttled := &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 35 * time.Second}
	providertest.CheckAnswers(t, newBot, config("@name"), []providertest.Answer{
		{Status: 200, Body: `{"ok":true,"result":{"message_id":1}}`},
		{Status: 200, Body: `out of order`},
		{Status: 429, Body: limited, Want: throttled, Says: "Too Many Requests"},
		{Status: 200, Body: limited, Want: throttled, Says: "Too Many Requests"},
		{Status: 200, Body: `{"ok":false,"error_code":400,"description":"Bad Request: chat not found"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "chat not found"},
		{Status: 200, Body: `{"ok":false,"error_code":502,"description":"Bad Gateway"}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 200, Body: `{"ok":false,"description":"no"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "Telegram responded with error: no"},
		{Status: 401, Body: `{"ok":false,"error_code":401,"description":"Unauthorized"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}, Says: "Unauthorized"},
		{Status: 502, Body: `{"ok":true}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
	})
}
