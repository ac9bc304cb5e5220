package otel

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/proto"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func TestParseAttributes(t *testing.T) {
	for text, want := range map[string]map[string]string{
		"":                           {},
		" ":                          {},
		",,":                         {},
		"k8s.cluster.name=prod":      {"k8s.cluster.name": "prod"},
		"a=1,b=2":                    {"a": "1", "b": "2"},
		" a = 1 ,\tb = 2 \n":         {"a": "1", "b": "2"},
		"a=1,":                       {"a": "1"},
		"a=":                         {"a": ""},
		"a=b=c":                      {"a": "b=c"},
		"a=1,a=2":                    {"a": "2"},
		"a=%2C%3d%20%C3%A9+,b=1%252": {"a": ",= é+", "b": "1%2"},
		"a=100%,b=%zz, c= %2 ":       {"a": "100%", "b": "%zz", "c": " %2"},
		"a%20b=1":                    {"a%20b": "1"},
		"word,a=1":                   {"a": "1"},
		"=1, =2,a=3":                 {"a": "3"},
		`a="quoted"`:                 {"a": `"quoted"`},
		"service.name=mine":          {"service.name": "mine"},
	} {
		if got := parseAttributes(text); !maps.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}

// TestResource checks what a sender makes of the environment as it is when the sender is built, and of that alone.
func TestResource(t *testing.T) {
	n := providertest.Notification()
	alert := []string{
		"service.name=" + n.Alert.Namespace + "/" + n.Alert.Name,
		"service.namespace=" + n.Alert.Namespace,
		"service.instance.id=" + n.Alert.UID,
	}
	t.Setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-planted=planted")
	t.Setenv("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "x-planted=planted")
	t.Setenv("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
	for text, more := range map[string][]string{
		"": nil,
		"service.version=v1,k8s.cluster.name=prod%2Ceu,a=\xff":                  {"a=\uFFFD", "k8s.cluster.name=prod,eu", "service.version=v1"},
		"service.name=mine,service.namespace=mine,service.instance.id=mine,b=1": {"b=1"},
	} {
		t.Setenv("OTEL_RESOURCE_ATTRIBUTES", text)
		construct := func(cfg provider.Config) (provider.Sender, error) {
			sender, err := New(cfg)
			t.Setenv("OTEL_RESOURCE_ATTRIBUTES", "late=1")
			return sender, err
		}
		r := providertest.Capture(t, construct, func(url string) provider.Config { return provider.Config{Address: url} }, n)[0]
		var request collector.ExportTraceServiceRequest
		if err := proto.Unmarshal(r.Body, &request); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, attribute := range request.ResourceSpans[0].Resource.Attributes {
			got = append(got, attribute.Key+"="+attribute.Value.GetStringValue())
		}
		if want := slices.Concat(alert, more); !slices.Equal(got, want) {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
		if r.Header.Get("X-Planted") != "" || r.Header.Get("Content-Encoding") != "" {
			t.Errorf("headers %v", r.Header)
		}
	}
}

// FuzzParseAttributes checks that what is read can be written so that the same is read.
func FuzzParseAttributes(f *testing.F) {
	for _, text := range []string{"a=1,b=2", " a = %2C ,,b", "a=%zz,=1", "a=b=c,a=d", "a=100%"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		pairs := parseAttributes(text)
		var entries []string
		for _, key := range event.SortedKeys(pairs) {
			if key == "" || strings.TrimSpace(key) != key || strings.ContainsAny(key, ",=") {
				t.Errorf("key %q", key)
			}
			entries = append(entries, key+"="+url.PathEscape(pairs[key]))
		}
		if again := parseAttributes(strings.Join(entries, ",")); !maps.Equal(again, pairs) {
			t.Errorf("%q is read as %q, and that as %q", text, pairs, again)
		}
	})
}
