package msteams

import (
	"net/http"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/workflows/1?sig=x", Channel: "ignored", Username: "ignored", Token: "ignored"}
}

// newConnector takes whatever the address is for that of a connector.
func newConnector(cfg provider.Config) (provider.Sender, error) {
	return newSender(cfg, newConnectorCard)
}

// TestConnectorCompliance runs the suite over what the table cannot reach.
func TestConnectorCompliance(t *testing.T) {
	row := provider.Type{Name: "msteams", Title: "Microsoft Teams", New: newConnector, NeedsAddress: true}
	providertest.Run(t, row, providertest.Fixture{
		Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/webhookb2/planted-path/IncomingWebhook/planted-hook"}
		},
		Success: providertest.Answering(http.StatusOK, "1"),
	})
}

func TestAdaptiveCard(t *testing.T) { providertest.CheckMessages(t, New, config) }

func TestConnectorCard(t *testing.T) {
	for file, n := range map[string]*provider.Notification{
		"testdata/connector-error.json": providertest.Notification(),
		"testdata/connector-info.json":  providertest.InfoNotification(),
		"testdata/connector-bare.json":  {Event: event.Event{Severity: "trace"}},
	} {
		t.Run(file, func(t *testing.T) {
			providertest.Golden(t, file, providertest.Capture(t, newConnector, config, n)[0].Body)
		})
	}
}

func TestRequest(t *testing.T) {
	r := providertest.Capture(t, New, config, providertest.Notification())[0]
	if r.Method != http.MethodPost || r.Path != "/workflows/1" || r.Query != "sig=x" || r.Header.Get("Authorization") != "" {
		t.Errorf("%s %s?%s %v", r.Method, r.Path, r.Query, r.Header)
	}
}

func TestIsConnector(t *testing.T) {
	for address, want := range map[string]bool{
		"https://xxx.webhook.office.com":                  true,
		"https://xxx.webhook.office.com:443/webhookb2/1":  true,
		"https://xxx-webhook.office.com":                  false,
		"https://xxx.webhook.office.com.example.org":      false,
		"https://example.org/.webhook.office.com":         false,
		"https://prod-1.westus.logic.azure.com/workflows": false,
		"": false,
	} {
		if got := isConnector(address); got != want {
			t.Errorf("%s: %t, want %t", address, got, want)
		}
	}
}

func TestLimits(t *testing.T) {
	length := func(body []byte) int { return chat.Characters(string(body)) }
	t.Run("workflow", func(t *testing.T) { providertest.CheckLimit(t, New, config, maxMessage, length) })
	t.Run("connector", func(t *testing.T) { providertest.CheckLimit(t, newConnector, config, maxMessage, length) })
}

func TestAnswers(t *testing.T) {
	const format = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error "
	providertest.CheckAnswers(t, newConnector, config, []providertest.Answer{
		{Status: 200, Body: "1"},
		{Status: 202},
		{Status: 200, Body: format + "429 with ContextId tcid=0", Want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: pause}},
		{Status: 200, Body: format + "429 with ContextId tcid=0", Header: []string{"Retry-After", "5"}, Want: &provider.Error{Kind: provider.Throttled, Reason: provider.ReasonRateLimited, RetryAfter: 5 * time.Second}},
		{Status: 200, Body: format + "413 with ContextId tcid=0", Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}, Says: "answered 413"},
		{Status: 200, Body: format + "400 with ContextId tcid=0", Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonRejected}},
		{Status: 200, Body: format + "502 with ContextId tcid=0", Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonServerError}},
		{Status: 200, Body: format, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}},
		{Status: 200, Body: format + "200 with", Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonUnclassified}},
		{Status: 429, Want: &provider.Error{Kind: provider.Transient, Reason: provider.ReasonRateLimited}},
		{Status: 410, Want: &provider.Error{Kind: provider.Permanent, Reason: provider.ReasonNotFound}},
	})
}
