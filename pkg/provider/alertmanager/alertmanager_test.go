package alertmanager

import (
	"encoding/json"
	"maps"
	"net/http"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/api/v2/alerts/", Username: "u", Password: "p"}
}

func resolving(url string) provider.Config {
	cfg := config(url)
	cfg.Resolve = true
	return cfg
}

func TestAlert(t *testing.T) {
	for _, test := range []struct {
		file   string
		config func(url string) provider.Config
		n      *provider.Notification
	}{
		{"testdata/error.json", config, providertest.Notification()},
		{"testdata/info.json", config, providertest.InfoNotification()},
		{"testdata/bare.json", config, providertest.BareNotification()},
		{"testdata/failed.json", resolving, providertest.Notification()},
		{"testdata/resolved.json", resolving, providertest.InfoNotification()},
	} {
		t.Run(test.file, func(t *testing.T) {
			r := providertest.Capture(t, New, test.config, test.n)[0]
			if r.Method != http.MethodPost || r.Path != "/api/v2/alerts/" {
				t.Errorf("%s %s", r.Method, r.Path)
			}
			providertest.Golden(t, test.file, r.Body)
		})
	}
}

func TestAuthorization(t *testing.T) {
	providertest.CheckAuthorization(t, New, map[string]provider.Config{
		"":             {Username: "u"},
		"Basic dTpw":   {Username: "u", Password: "p", Token: "t"},
		"Bearer t":     {Token: "t"},
		"Bearer token": {Username: "u", Token: "token"},
	})
}

func TestAlertName(t *testing.T) {
	for reason, want := range map[string]string{
		"HealthCheckFailed": "FluxKustomizationHealthcheckfailed",
		"apply-failed":      "FluxKustomizationApply-Failed",
		"foo_bar":           "FluxKustomizationFoo_bar",
		"foo bar":           "FluxKustomizationFoo Bar",
		"":                  "FluxKustomization",
	} {
		e := providertest.Notification().Event
		e.Reason = reason
		if got := newAlert(&e).Labels["alertname"]; got != want {
			t.Errorf("reason %q: alertname %q, want %q", reason, got, want)
		}
	}
}

// TestIncidentLabels checks that whatever fails with whatever revision is the same alert as the success after it.
func TestIncidentLabels(t *testing.T) {
	failed, succeeded := providertest.Notification().Event, providertest.InfoNotification().Event
	for _, key := range versionKeys() {
		failed.Metadata[key] = "old"
		succeeded.Metadata[key] = "new"
	}
	failed.Metadata["summary"] = "other"
	fired, resolved := newIncident(&failed), newIncident(&succeeded)
	if !maps.Equal(fired.Labels, resolved.Labels) {
		t.Errorf("labels differ: %v, %v", fired.Labels, resolved.Labels)
	}
	if fired.Labels["cluster"] == "" || fired.Annotations["revision"] != "old" || fired.Annotations["reason"] != "HealthCheckFailed" {
		t.Errorf("labels %v, annotations %v", fired.Labels, fired.Annotations)
	}
}

func TestProgressingChangesNothing(t *testing.T) {
	n := providertest.InfoNotification()
	n.Event.Reason = "Progressing"
	providertest.CheckSuperseded(t, New, resolving, n)
	if requests := providertest.Capture(t, New, config, n); len(requests) != 1 {
		t.Errorf("%d requests without recovery", len(requests))
	}
}

// TestTimes checks that a start has whole seconds and that an end is one even where the event has no time.
func TestTimes(t *testing.T) {
	e := providertest.InfoNotification().Event
	e.Timestamp = event.Timestamp{Time: time.Date(2026, 8, 7, 12, 15, 0, 123, time.FixedZone("CEST", 7200))}
	data, err := json.Marshal(newAlert(&e).StartsAt)
	if err != nil || string(data) != `"2026-08-07T10:15:00Z"` {
		t.Errorf("starts at %s: %v", data, err)
	}
	e.Timestamp = event.Timestamp{}
	if a := newIncident(&e); a.EndsAt.IsZero() || a.EndsAt.Before(a.StartsAt) || a.EndsAt.After(time.Now()) {
		t.Errorf("from %s to %s", a.StartsAt, a.EndsAt)
	}
}

// TestNoLimits checks that nothing is cut.
func TestNoLimits(t *testing.T) {
	n := providertest.LongNotification()
	a := newAlert(&n.Event)
	if a.Annotations["message"] != n.Event.Message || a.Labels["long-5"] != n.Event.Metadata["long-5"] || a.Labels["name"] != n.Event.InvolvedObject.Name {
		t.Error("something was cut")
	}
}

func TestConfigErrors(t *testing.T) {
	providertest.CheckRefused(t, New, provider.Config{}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "alertmanager.monitoring:9093/planted"}, "spec.address")
	providertest.CheckRefused(t, New, provider.Config{Address: "http://alertmanager", Token: "planted\n"}, `"token"`)
}

// TestSuppressedIsNoLabel finds a count that makes each notification another alert.
func TestSuppressedIsNoLabel(t *testing.T) {
	e := providertest.Notification().Event
	e.Metadata[event.KeySuppressed] = "199"
	for _, a := range []alert{newAlert(&e), newIncident(&e)} {
		if a.Labels[event.KeySuppressed] != "" || a.Annotations[event.KeySuppressed] != "199" {
			t.Errorf("labels %v, annotations %v", a.Labels, a.Annotations)
		}
	}
}
