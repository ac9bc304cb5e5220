package matrix

import (
	"net/http"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(path, room, token string) func(url string) provider.Config {
	return func(url string) provider.Config {
		return provider.Config{Address: url + path, Channel: room, Token: token, Username: "ignored"}
	}
}

func TestMessage(t *testing.T) {
	providertest.CheckMessages(t, New, config("", "!abc:example.org", "mtok"))
}

func TestRequest(t *testing.T) {
	const transaction = "/send/m.room.message/89958fa563946130d3f236733d83201cda44a039"
	for _, test := range []struct{ path, room, token, want, authorization string }{
		{"", "!abc:example.org", "mtok", "/_matrix/client/r0/rooms/!abc:example.org", "Bearer mtok"},
		{"/", "!abc:example.org", "", "/_matrix/client/r0/rooms/!abc:example.org", "Bearer"},
		{"/home", "!a/b?c#d%:example.org", "mtok", "/home/_matrix/client/r0/rooms/!a%2Fb%3Fc%23d%25:example.org", "Bearer mtok"},
		{"", "%21a%2Fb:example.org", "mtok", "/_matrix/client/r0/rooms/!a%2Fb:example.org", "Bearer mtok"},
	} {
		r := providertest.Capture(t, New, config(test.path, test.room, test.token), providertest.Notification())[0]
		if r.Method != http.MethodPut || r.Path != test.want+transaction {
			t.Errorf("%s %s, want %s", r.Method, r.Path, test.want+transaction)
		}
		if got := r.Header.Get("Authorization"); got != test.authorization {
			t.Errorf("Authorization is %q, want %q", got, test.authorization)
		}
	}
}

func TestTransactionID(t *testing.T) {
	for want, n := range map[string]*provider.Notification{
		"89958fa563946130d3f236733d83201cda44a039": providertest.Notification(),
		"a7854185f5c75aeb90d3d49d4ad12712c7a1daa7": providertest.InfoNotification(),
		"37d91b4f6a1e44c6a38273b0a0fd408fade7b0f5": {Event: event.Event{
			Severity:  "info",
			Timestamp: event.Timestamp{Time: time.Date(2021, time.August, 24, 16, 18, 0, 0, time.UTC)},
			Message:   "update successful",
			Reason:    "update sucesful",
		}},
	} {
		if got, err := transactionID(&n.Event); err != nil || got != want {
			t.Errorf("transaction %s, %v, want %s", got, err, want)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{Address: "https://example.org", Token: "planted\n"}, `"token"`)
}

func TestLimits(t *testing.T) {
	providertest.CheckLimit(t, New, config("", "!abc:example.org", "mtok"), maxEvent-envelope, func(body []byte) int { return len(body) })
}

func TestAnswers(t *testing.T) {
	providertest.CheckAnswers(t, New, config("", "!abc:example.org", "mtok"), []providertest.Answer{
		{Status: 200, Body: `{"event_id":"$YUwRidLecu:example.com"}`},
		{Status: 429, Body: `{"errcode":"M_LIMIT_EXCEEDED","error":"Too many requests","retry_after_ms":2500}`, Want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 2500 * time.Millisecond}, Says: "M_LIMIT_EXCEEDED"},
		{Status: 429, Body: `{"errcode":"M_LIMIT_EXCEEDED"}`, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonRateLimited}},
		{Status: 403, Body: `{"errcode":"M_FORBIDDEN","error":"not in the room"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}, Says: "not in the room"},
	})
}
