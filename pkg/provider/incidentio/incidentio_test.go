package incidentio

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/v2/alert_events/http/x", Token: "itok"}
}

func TestAlertEvent(t *testing.T) {
	nothing := providertest.BareNotification()
	nothing.Event.Message, nothing.Event.ReportingController = "", ""
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json":   providertest.Notification(),
		"testdata/info.json":    providertest.InfoNotification(),
		"testdata/bare.json":    providertest.BareNotification(),
		"testdata/nothing.json": nothing,
	} {
		t.Run(file, func(t *testing.T) {
			r := providertest.Capture(t, New, config, n)[0]
			if r.Method != http.MethodPost || r.Path != "/v2/alert_events/http/x" || r.Header.Get("Authorization") != "Bearer itok" {
				t.Errorf("%s %s, Authorization %q", r.Method, r.Path, r.Header.Get("Authorization"))
			}
			providertest.Golden(t, file, r.Body)
		})
	}
}

func TestLimits(t *testing.T) {
	n := providertest.LongNotification()
	n.Event.Message = strings.Repeat("<\x01é", 1<<20)
	for key := range n.Event.Metadata {
		n.Event.Metadata[key] = strings.Repeat("<\x01é", 1<<16)
	}
	a := newAlertEvent(&n.Event)
	providertest.CheckCut(t, "description", a.Description, maxMessage, func(s string) int { return len(s) })
	encoded, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	if len(encoded) > 512<<10 || a.Metadata["severity"] != "error" {
		t.Errorf("the request has %d bytes, severity %q", len(encoded), a.Metadata["severity"])
	}
}

func TestConfigErrors(t *testing.T) {
	address := "https://api.incident.io/v2/alert_events/http/x"
	providertest.CheckRefused(t, New, provider.Config{Address: address}, `"token"`)
	providertest.CheckRefused(t, New, provider.Config{Address: address, Token: "planted\n"}, `"token"`)
	providertest.CheckRefused(t, New, provider.Config{Token: "planted"}, "spec.address")
}
