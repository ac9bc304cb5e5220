package otel

import (
	"crypto/tls"
	"encoding/hex"
	"net/http"
	"strings"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func TestRequest(t *testing.T) {
	for address, path := range map[string]string{
		"":              "/v1/traces",
		"/":             "/",
		"/v1/traces":    "/v1/traces",
		"/otlp/x/?a=b":  "/otlp/x/",
		"/p%2Fq/traces": "/p%2Fq/traces",
	} {
		r := providertest.Capture(t, New, func(url string) provider.Config {
			return provider.Config{Address: strings.Replace(url, "://", "://ignored:ignored@", 1) + address}
		}, providertest.Notification())[0]
		if r.Method != http.MethodPost || r.Path != path || r.Query != "" {
			t.Errorf("%s: %s %s?%s", address, r.Method, r.Path, r.Query)
		}
		if r.Header.Get("Content-Type") != "application/x-protobuf" || r.Header.Get("Authorization") != "" {
			t.Errorf("%s: headers %v", address, r.Header)
		}
		if err := proto.Unmarshal(r.Body, &collector.ExportTraceServiceRequest{}); err != nil {
			t.Errorf("%s: %v", address, err)
		}
	}
}

func TestHeaders(t *testing.T) {
	for _, test := range []struct {
		name          string
		cfg           provider.Config
		authorization string
	}{
		{"token", provider.Config{Token: "t"}, "Bearer t"},
		{"user and token", provider.Config{Username: "user", Token: "password"}, "Basic dXNlcjpwYXNzd29yZA=="},
		{"user and password", provider.Config{Username: "user", Password: "password"}, "Basic dXNlcjpwYXNzd29yZA=="},
		{"user, token and password", provider.Config{Username: "user", Token: "password", Password: "other"}, "Basic dXNlcjpwYXNzd29yZA=="},
		{"password", provider.Config{Password: "p"}, "Bearer p"},
		{"user", provider.Config{Username: "user"}, ""},
		{"headers", provider.Config{Token: "t", Headers: map[string]string{"authorization": "Api-Key x", "content-type": "text/plain", "X-Tenant": "1"}}, "Api-Key x"},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := providertest.Capture(t, New, func(url string) provider.Config {
				test.cfg.Address = url
				return test.cfg
			}, providertest.Notification())[0]
			if got := r.Header.Get("Authorization"); got != test.authorization {
				t.Errorf("Authorization is %q, want %q", got, test.authorization)
			}
			if got := r.Header.Get("X-Tenant"); got != test.cfg.Headers["X-Tenant"] || r.Header.Get("Content-Type") != "application/x-protobuf" {
				t.Errorf("headers %v", r.Header)
			}
		})
	}
}

// TestPartialSuccess checks what the answers to requests that were taken say.
func TestPartialSuccess(t *testing.T) {
	encode := func(rejected int64, message string) []byte {
		body, err := proto.Marshal(&collector.ExportTraceServiceResponse{
			PartialSuccess: &collector.ExportTracePartialSuccess{RejectedSpans: rejected, ErrorMessage: message},
		})
		if err != nil {
			t.Fatal(err)
		}
		return body
	}
	for name, test := range map[string]struct {
		body     []byte
		rejected bool
	}{
		"nothing":       {nil, false},
		"not protobuf":  {[]byte(`{"partialSuccess":{}}`), false},
		"warning":       {encode(0, "deprecated"), false},
		"rejected span": {encode(1, "no such\n tenant"), true},
	} {
		service := providertest.Serve(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(test.body) })
		err := providertest.Attempt(t, New, provider.Config{Address: service.URL}, providertest.Notification())
		if !test.rejected {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err == nil || provider.Classify(err).Kind != provider.Permanent || !strings.HasSuffix(err.Error(), "no such tenant") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestCredentials checks that a sender masks by itself what it makes of the credentials.
func TestCredentials(t *testing.T) {
	service := providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusUnauthorized)
		_, _ = w.Write([]byte(r.Header.Get("Authorization")))
	})
	cfg := provider.Config{Address: service.URL, Username: "user", Token: "password"}
	err := providertest.Attempt(t, New, cfg, providertest.Notification())
	if err == nil || strings.Contains(err.Error(), "dXNlcjpwYXNzd29yZA==") || !strings.Contains(err.Error(), provider.Mask) {
		t.Errorf("the credentials are not masked: %v", err)
	}
}

func TestSkip(t *testing.T) {
	n := providertest.Notification()
	if Skip(n) {
		t.Error("a Kustomization is skipped")
	}
	n.Event.InvolvedObject.Kind = "HelmRepository"
	if !Skip(n) {
		t.Error("a HelmRepository is not skipped")
	}
}

func TestTraceID(t *testing.T) {
	for _, test := range []struct {
		metadata map[string]string
		revision string
	}{
		{nil, "unknown"},
		{map[string]string{"revision": "main@sha1:abc"}, "main@sha1:abc"},
		{map[string]string{"revision": "1.2.3", "oci-digest": "sha256:abc"}, "1.2.3"},
		{map[string]string{"revision": "1.2.3", "oci-digest": "sha256:abc", "app-version": "4.5.6"}, "4.5.6@sha256:abc"},
	} {
		if got := revision(test.metadata); got != test.revision {
			t.Errorf("%v: revision %q, want %q", test.metadata, got, test.revision)
		}
	}
	if got, want := hex.EncodeToString(traceID(providertest.Notification())), "18b464cf26e57110f659ce554e061d73"; got != want {
		t.Errorf("trace id %s, want %s", got, want)
	}
}

// TestSpanID checks that an attempt repeats the span of the one before it, and that nothing else does.
func TestSpanID(t *testing.T) {
	n := providertest.Notification()
	first := hex.EncodeToString(spanID(n))
	if again := hex.EncodeToString(spanID(providertest.Notification())); again != first || len(first) != 16 {
		t.Errorf("span ids %s and %s", first, again)
	}
	n.Event.ID = "other"
	if other := hex.EncodeToString(spanID(n)); other == first {
		t.Errorf("two events have the same span id: %s", other)
	}
}

// TestTimes checks that a span ends after it starts, whatever the clocks say.
func TestTimes(t *testing.T) {
	n := providertest.Notification()
	start := n.Event.Timestamp.Time
	for _, test := range []struct{ timestamp, now, start, end time.Time }{
		{start, start.Add(time.Second), start, start.Add(time.Second)},
		{start, start.Add(-time.Second), start, start},
		{time.Time{}, start, start, start},
	} {
		n.Event.Timestamp = event.Timestamp{Time: test.timestamp}
		span := newSpan(n, test.now)
		if span.StartTimeUnixNano != uint64(test.start.UnixNano()) || span.EndTimeUnixNano != uint64(test.end.UnixNano()) {
			t.Errorf("%s at %s: from %d to %d", test.timestamp, test.now, span.StartTimeUnixNano, span.EndTimeUnixNano)
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, address := range []string{"", "planted", "otel-collector:4318/planted", "grpc://planted:4317"} {
		providertest.CheckRefused(t, New, provider.Config{Address: address}, "spec.address")
	}
	providertest.CheckRefused(t, New, provider.Config{Address: "http://planted:4318", TLS: &tls.Config{}}, "https:// where there is spec.certSecretRef")
	for _, cfg := range []provider.Config{{Address: "HTTPS://otel-collector:4318", TLS: &tls.Config{}}, {Address: "http://otel-collector:4318"}} {
		if _, err := New(cfg); err != nil {
			t.Errorf("%s: %v", cfg.Address, err)
		}
	}
	address := "https://otel-collector:4318"
	providertest.CheckRefused(t, New, provider.Config{Address: address, Token: "planted\n"}, `"token"`)
	providertest.CheckRefused(t, New, provider.Config{Address: address, Headers: map[string]string{"X-Key": "planted\n"}}, `"headers"`)
}
