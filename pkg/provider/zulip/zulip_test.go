package zulip

import (
	"net/http"
	"net/url"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/ignored/?a=b", Channel: "general/flux/a", Username: "bot@example.org", Password: "pw", Token: "ignored"}
}

func TestMessage(t *testing.T) { providertest.CheckMessages(t, New, config) }

func TestRequest(t *testing.T) {
	r := providertest.Capture(t, New, config, providertest.InfoNotification())[0]
	if r.Method != http.MethodPost || r.Path != "/api/v1/messages" || r.Query != "a=b" {
		t.Errorf("%s %s?%s", r.Method, r.Path, r.Query)
	}
	if got, want := r.Header.Get("Authorization"), "Basic Ym90QGV4YW1wbGUub3JnOnB3"; got != want {
		t.Errorf("Authorization is %q, want %q", got, want)
	}
	if got, want := r.Header.Get("Content-Type"), "application/x-www-form-urlencoded"; got != want {
		t.Errorf("Content-Type is %q, want %q", got, want)
	}
	form := parse(t, r.Body)
	if form.Get("type") != "stream" || form.Get("to") != "general" || form.Get("topic") != "flux/a" {
		t.Errorf("form %v", form)
	}
	const want = "## Flux Status\n\nℹ️ Kustomization/apps/webapp\n\nReconciliation finished in 1.2s, next run in 10m0s\n\nMetadata:\n" +
		"* `cluster`: prod-eu-1\n* `revision`: main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1\n* `summary`: payments stack\n"
	if got := form.Get("content"); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func parse(t *testing.T, body []byte) url.Values {
	form, err := url.ParseQuery(string(body))
	if err != nil {
		t.Fatal(err)
	}
	return form
}

func TestWithoutCredentials(t *testing.T) {
	anonymous := func(url string) provider.Config {
		return provider.Config{Address: url, Channel: "general/flux"}
	}
	r := providertest.Capture(t, New, anonymous, providertest.Notification())[0]
	if got := r.Header.Get("Authorization"); got != "" {
		t.Errorf("Authorization is %q", got)
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{Channel: "general/flux"}, "spec.address")
	for _, channel := range []string{"", "general", "general/", "/flux", "/"} {
		providertest.CheckRefused(t, New, provider.Config{Address: "https://example.org", Channel: channel}, "spec.channel")
	}
}

func TestLimits(t *testing.T) {
	providertest.CheckLimit(t, New, config, maxContent, func(body []byte) int { return chat.Characters(parse(t, body).Get("content")) })
}

func TestAnswers(t *testing.T) {
	providertest.CheckAnswers(t, New, config, []providertest.Answer{
		{Status: 200, Body: `{"id":42,"msg":"","result":"success"}`},
		{Status: 200, Body: `{"result":"error","msg":"Channel 'general' does not exist"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "does not exist"},
		{Status: 400, Body: `{"code":"STREAM_DOES_NOT_EXIST","msg":"Channel 'general' does not exist","result":"error"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "does not exist"},
		{Status: 429, Body: `{"code":"RATE_LIMIT_HIT","msg":"API usage exceeded rate limit","result":"error","retry-after":28.75}`, Want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 28750 * time.Millisecond}},
		{Status: 401, Body: `{"code":"UNAUTHORIZED","msg":"Invalid API key","result":"error"}`, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonAuth}, Says: "Invalid API key"},
	})
}
