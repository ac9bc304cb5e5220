package webex

import (
	"encoding/json"
	"net/http"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(token string) func(url string) provider.Config {
	return func(url string) provider.Config {
		return provider.Config{Address: url + "/v1/messages", Channel: "room-1", Token: token, Username: "ignored"}
	}
}

func TestMessage(t *testing.T) { providertest.CheckMessages(t, New, config("wtok")) }

func TestRequest(t *testing.T) {
	for token, authorization := range map[string]string{"wtok": "Bearer wtok", "": "Bearer"} {
		r := providertest.Capture(t, New, config(token), providertest.Notification())[0]
		if r.Method != http.MethodPost || r.Path != "/v1/messages" || r.Header.Get("Authorization") != authorization {
			t.Errorf("%s %s %v", r.Method, r.Path, r.Header)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{Address: "https://example.org", Token: "planted\n"}, `"token"`)
}

func TestLimits(t *testing.T) {
	providertest.CheckLimit(t, New, config("wtok"), maxMarkdown, func(body []byte) int {
		var sent message
		if err := json.Unmarshal(body, &sent); err != nil {
			t.Error(err)
		}
		return len(sent.Markdown)
	})
}

func TestAnswers(t *testing.T) {
	providertest.CheckAnswers(t, New, config("wtok"), []providertest.Answer{
		{Status: 200, Body: `{"id":"Y2lz","roomId":"room-1","markdown":"errors"}`},
		{Status: 200, Body: `{"ok":true}`},
		{Status: 200, Body: `{"message":"The request could not be understood","errors":[{"description":"Unable to post"}],"trackingId":"x"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "Unable to post"},
		{Status: 404, Body: `{"errors":[{"description":"Could not find a room with provided ID."}]}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonNotFound}, Says: "Could not find a room"},
		{Status: 429, Header: []string{"Retry-After", "60"}, Want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: time.Minute}},
	})
}
