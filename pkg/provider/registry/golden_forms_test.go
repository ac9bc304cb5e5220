package registry

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// recordedBody writes the bodies that are not JSON documents as the sink wrote them.
func recordedBody(t *testing.T, contentType string, body []byte) any {
	switch contentType {
	case "application/x-protobuf":
		if err := proto.Unmarshal(body, &collector.ExportTraceServiceRequest{}); err != nil {
			t.Fatal(err)
		}
		return "protobuf"
	case "application/x-sentry-envelope":
		return recordedEnvelope(t, body)
	default:
		return string(body)
	}
}

// recordedEnvelope keeps what a person sees of each line.
func recordedEnvelope(t *testing.T, body []byte) any {
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	seen := []string{"dsn", "message", "level", "environment", "server_name", "tags", "transaction", "type"}
	var lines []any
	for line := range bytes.Lines(body) {
		var fields map[string]any
		if err := json.Unmarshal(line, &fields); err != nil {
			t.Fatal(err)
		}
		for name, value := range fields {
			switch text, _ := value.(string); {
			case !slices.Contains(seen, name):
				delete(fields, name)
			case name == "dsn":
				fields[name] = regexp.MustCompile(`@[^/]+`).ReplaceAllString(text, "@SINK")
			case name == "server_name" && text == host:
				// The host of the installation.
				fields[name] = "vm"
			}
		}
		lines = append(lines, fields)
	}
	return lines
}

// anonymize replaces what is different in each installation, as the sink did, and sorts the tags that it sorted.
func anonymize(form *goldenRequest, r providertest.Request) {
	if strings.Contains(r.Header.Get("X-Sentry-Auth"), "sentry_key=key") {
		form.Headers["X-Sentry-Auth"] = "SDK"
	}
	if form.Headers["X-Tfs-Session"] != "" {
		form.Headers["X-Tfs-Session"] = "SESSION"
	}
	// The sink wrote paths unescaped.
	if path, err := url.PathUnescape(form.Path); err == nil {
		form.Path = path
	}
	fields, _ := form.Body.(map[string]any)
	if key, _ := fields["key"].(string); regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(key) {
		fields["key"] = "DIGEST"
	}
	if link, _ := fields["url"].(string); link != "" {
		fields["url"] = regexp.MustCompile(`127\.0\.0\.1:\d+`).ReplaceAllString(link, "SINK")
	}
	if alias, _ := fields["alias"].(string); regexp.MustCompile(`^[0-9a-f]{64}$`).MatchString(alias) {
		fields["alias"] = "DIGEST"
	}
	if tags, ok := fields["tags"].([]any); ok {
		slices.SortFunc(tags, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
	}
}
