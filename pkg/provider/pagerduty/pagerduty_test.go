package pagerduty

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/ignored?a=b", Channel: "routing-key"}
}

func TestEvents(t *testing.T) {
	for _, test := range []struct {
		name  string
		n     *provider.Notification
		paths []string
	}{
		{"error", providertest.Notification(), []string{"/v2/enqueue"}},
		{"info", providertest.InfoNotification(), []string{"/v2/enqueue", "/v2/change/enqueue"}},
		{"bare", providertest.BareNotification(), []string{"/v2/enqueue"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			requests := providertest.Capture(t, New, config, test.n)
			if len(requests) != len(test.paths) {
				t.Fatalf("%d requests, want %d", len(requests), len(test.paths))
			}
			var bodies [][]byte
			for i, r := range requests {
				if r.Method != http.MethodPost || r.Path != test.paths[i] || r.Query != "" {
					t.Errorf("%s %s?%s, want %s", r.Method, r.Path, r.Query, test.paths[i])
				}
				bodies = append(bodies, r.Body)
			}
			providertest.Golden(t, "testdata/"+test.name+".json", bytes.Join(bodies, []byte("\n")))
		})
	}
}

// TestChangeCompliance runs the suite over what the table does not reach: the change event after the alert event.
func TestChangeCompliance(t *testing.T) {
	row := provider.Type{Name: "pagerduty", Title: "PagerDuty", New: New, NeedsAddress: true}
	providertest.Run(t, row, providertest.Fixture{
		Config: func(url string) provider.Config {
			return provider.Config{Address: url, Channel: "planted-routing-key"}
		},
		Prepare: func(n *provider.Notification) { n.Event.Severity = "info" },
		Lookup:  func(r *http.Request) bool { return r.URL.Path == "/v2/enqueue" },
	})
}

// TestNoObject sends no dedup key where there is none to send.
func TestNoObject(t *testing.T) {
	n := providertest.Notification()
	n.Event.InvolvedObject.UID = ""
	n.Event.Reason = ""
	body := string(providertest.Capture(t, New, config, n)[0].Body)
	if strings.Contains(body, "dedup_key") || !strings.Contains(body, `"summary":": kustomization/webapp"`) {
		t.Errorf("sent %s", body)
	}
}

func TestLimits(t *testing.T) {
	n := providertest.LongNotification()
	n.Event.Reason = strings.Repeat("🚨", 2000)
	n.Event.Message = strings.Repeat("<\x01", 1<<20)
	for key := range n.Event.Metadata {
		n.Event.Metadata[key] = strings.Repeat("<\x01é", 1<<16)
	}
	m := newAlertEvent(&n.Event, "routing-key")
	providertest.CheckCut(t, "summary", m.Payload.Summary, maxSummary, utf8.RuneCountInString)
	providertest.CheckCut(t, "message", m.Payload.Details.Message, maxMessage, func(s string) int { return len(s) })
	encoded, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	if len(encoded) > 512_000 {
		t.Errorf("the event has %d bytes", len(encoded))
	}
}

// TestRoutingKey checks that a sender masks its routing key by itself.
func TestRoutingKey(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusBadRequest)
		_, _ = io.Copy(w, r.Body)
	}
	cfg := config(providertest.Serve(t, echo).URL)
	cfg.Channel = "planted-routing-key"
	err := providertest.Attempt(t, New, cfg, providertest.Notification())
	if err == nil || strings.Contains(err.Error(), "planted") || !strings.Contains(err.Error(), provider.Mask) {
		t.Errorf("the routing key is not masked: %v", err)
	}
	if got := provider.Classify(err); got.Kind != provider.Permanent || got.Reason != provider.ReasonRejected {
		t.Errorf("kind %d, reason %q: %v", got.Kind, got.Reason, err)
	}
}

// TestChangeRejected checks that a service without change events is told from one without alerts.
func TestChangeRejected(t *testing.T) {
	service := providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(map[bool]int{true: http.StatusBadRequest, false: http.StatusAccepted}[r.URL.Path == "/v2/change/enqueue"])
	})
	err := providertest.Attempt(t, New, config(service.URL), providertest.InfoNotification())
	if err == nil || provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), "change event") {
		t.Errorf("Send: %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{Address: "https://events.eu.pagerduty.com"}, "spec.channel")
	providertest.CheckRefused(t, New, provider.Config{Channel: "planted"}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "events.pagerduty.com", Channel: "planted"}, "spec.address")
}
