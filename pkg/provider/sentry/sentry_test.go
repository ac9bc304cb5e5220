package sentry

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: strings.Replace(url, "://", "://public@", 1) + "/42", Channel: "staging"}
}

func TestRequest(t *testing.T) {
	r := providertest.Capture(t, New, config, providertest.Notification())[0]
	if r.Method != http.MethodPost || r.Path != "/api/42/envelope/" || r.Header.Get("Content-Type") != "application/x-sentry-envelope" {
		t.Errorf("%s %s %s", r.Method, r.Path, r.Header.Get("Content-Type"))
	}
	if got, want := r.Header.Get("X-Sentry-Auth"), "Sentry sentry_version=7, sentry_client=notification-controller, sentry_key=public"; got != want {
		t.Errorf("X-Sentry-Auth is %q, want %q", got, want)
	}
}

func TestEnvelope(t *testing.T) {
	d, err := parseDSN("https://public@sentry.example.com/42")
	if err != nil {
		t.Fatal(err)
	}
	s := &sender{dsn: d, environment: "staging", host: "controller-0"}
	now := time.Date(2026, time.August, 7, 10, 15, 1, 0, time.UTC)
	timeless := providertest.BareNotification()
	timeless.Event.Timestamp = event.Timestamp{}
	bareFailure := providertest.BareNotification()
	bareFailure.Event.Severity = event.SeverityError
	for file, n := range map[string]*provider.Notification{
		"testdata/error.txt":      providertest.Notification(),
		"testdata/info.txt":       providertest.InfoNotification(),
		"testdata/trace.txt":      timeless,
		"testdata/bare-error.txt": bareFailure,
	} {
		t.Run(file, func(t *testing.T) {
			body, err := s.envelope(n, now)
			if err != nil {
				t.Fatal(err)
			}
			providertest.Golden(t, file, bytes.TrimSuffix(body, []byte("\n")))
			lines := bytes.Split(body, []byte("\n"))
			var header itemHeader
			if err := json.Unmarshal(lines[1], &header); err != nil || len(lines) != 4 || header.Length != len(lines[2]) {
				t.Errorf("%d lines, the item has %d bytes and says %d: %v", len(lines), len(lines[2]), header.Length, err)
			}
		})
	}
}

// TestIDs checks that an attempt repeats the ids of the one before it, and that nothing else does.
func TestIDs(t *testing.T) {
	n := providertest.Notification()
	if newIDs(n) != newIDs(providertest.Notification()) {
		t.Error("the ids change")
	}
	seen := map[ids]bool{newIDs(n): true}
	for _, change := range []func(){
		func() { n.Event.ID = "other" },
		func() { n.Alert.UID = "other" },
		func() { n.Provider.UID = "other" },
	} {
		change()
		if seen[newIDs(n)] {
			t.Errorf("two notifications have the same ids: %v", newIDs(n))
		}
		seen[newIDs(n)] = true
	}
}

func TestMetadataOverridesTags(t *testing.T) {
	e := providertest.InfoNotification().Event
	e.Metadata["flux_reason"] = "mine"
	if got := tags(&e)["flux_reason"]; got != "mine" {
		t.Errorf("flux_reason is %q", got)
	}
}

func TestLimits(t *testing.T) {
	n := providertest.LongNotification()
	s := &sender{}
	failed := s.newFailure(n, newIDs(n))
	providertest.CheckCut(t, "message", failed.Message, maxMessage, utf8.RuneCountInString)
	metadata := failed.Contexts["metadata"]
	providertest.CheckCut(t, "context", metadata["long-1"], len(metadata["long-1"]), func(s string) int { return len(s) })
	encoded, err := json.Marshal(metadata)
	if err != nil || len(encoded) > 8<<10 {
		t.Errorf("the context has %d bytes: %v", len(encoded), err)
	}
	providertest.CheckCut(t, "tag", tags(&n.Event)["long-1"], maxTag, utf8.RuneCountInString)
}

func TestParseDSN(t *testing.T) {
	for text, want := range map[string]dsn{
		"https://public@o1.ingest.sentry.io/42": {
			endpoint: "https://o1.ingest.sentry.io/api/42/envelope/", publicKey: "public",
		},
		"http://public:secret@sentry.example.com:9000/a/b/42/?x=y": {
			endpoint: "http://sentry.example.com:9000/a/b/api/42/envelope/", publicKey: "public", secretKey: "secret",
		},
	} {
		want.text = text
		if got, err := parseDSN(text); err != nil || got != want {
			t.Errorf("parseDSN(%s) = %+v, %v", text, got, err)
		}
	}
}

// TestKeys checks that a sender sends both keys and masks them by itself.
func TestKeys(t *testing.T) {
	echo := func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusForbidden)
		_, _ = io.WriteString(w, r.Header.Get("X-Sentry-Auth"))
	}
	url := providertest.Serve(t, echo).URL
	cfg := provider.Config{Address: strings.Replace(url, "://", "://planted-public:planted-secret@", 1) + "/42"}
	err := providertest.Attempt(t, New, cfg, providertest.Notification())
	if err == nil || !strings.Contains(err.Error(), "sentry_key=*****, sentry_secret=*****") {
		t.Errorf("the keys are not masked: %v", err)
	}
}

func TestConfigErrors(t *testing.T) {
	for _, address := range []string{
		"", "planted", "https://sentry.example.com/42", "https://planted@sentry.example.com", "https://planted@sentry.example.com/",
		"https://:planted@sentry.example.com/42", "https://planted%2C@sentry.example.com/42", "https://planted%0A@sentry.example.com/42",
	} {
		providertest.CheckRefused(t, New, provider.Config{Address: address}, "spec.address")
	}
}
