package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestAlertFields has what is new on Alerts work together: a filter, a text of its own, the cluster, and an error that is
// repeated under changing request ids.
func TestAlertFields(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	service := newSink(t, nil)
	c := start(t, cp, func(o *Options) { o.ClusterName = "prod-eu" })
	cp.Apply(t, strings.Replace(alertAndProvider(ns, "it", "{type: generic, address: '"+service.URL+"'}"), "  eventSources", `
  eventFilter: event.reason != 'Unwanted'
  message: '{{ .Cluster }}: {{ .Reason }}{{ with .Metadata.suppressed }} ({{ . }} before it){{ end }}'
  repeatInterval: 1h
  eventSources`, 1))
	c.settle(ns, "it")

	post := func(severity, reason, message string) {
		t.Helper()
		body := strings.NewReplacer(`"info"`, `"`+severity+`"`, `"Test"`, `"`+reason+`"`).Replace(eventJSON(ns, message))
		if status, _ := c.post(body); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	post("error", "Unwanted", "filtered out")
	for i := range 200 {
		post("error", "Failed", fmt.Sprintf("request id %d: access denied", i))
	}
	post("info", "Succeeded", "applied")

	eventually(t, "the recovery", func() error {
		if len(service.got("Succeeded")) == 0 {
			return fmt.Errorf("it has not come")
		}
		return nil
	})
	c.shutdown()
	var texts []string
	for _, request := range service.got("") {
		var got struct {
			Message  string
			Metadata map[string]string
		}
		if err := json.Unmarshal([]byte(request.body), &got); err != nil {
			t.Fatal(err)
		}
		texts = append(texts, fmt.Sprint(got.Message, got.Metadata))
	}
	// Deliveries overlap.
	for _, want := range []string{
		"prod-eu: Failedmap[cluster:prod-eu]", "prod-eu: Succeeded (199 before it)map[cluster:prod-eu suppressed:199]",
	} {
		if !strings.Contains(strings.Join(texts, "\n"), want) || len(texts) != 2 {
			t.Errorf("sent %q, want %q in it", texts, want)
		}
	}
}
