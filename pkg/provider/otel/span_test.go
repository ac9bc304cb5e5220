package otel

import (
	"bytes"
	"encoding/json"
	"testing"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// TestSpan compares spans as the official types decode them, in the JSON form of the protocol.
func TestSpan(t *testing.T) {
	source := providertest.InfoNotification()
	source.Event.InvolvedObject.Kind = "GitRepository"
	bareFailure := providertest.BareNotification()
	bareFailure.Event.Severity = event.SeverityError
	overridden := providertest.InfoNotification()
	overridden.Event.Metadata = map[string]string{"object.kind": "mine"}
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json":      providertest.Notification(),
		"testdata/info.json":       providertest.InfoNotification(),
		"testdata/bare.json":       providertest.BareNotification(),
		"testdata/bare-error.json": bareFailure,
		"testdata/source.json":     source,
		"testdata/overridden.json": overridden,
	} {
		t.Run(file, func(t *testing.T) {
			decoded := decode(t, newRequest(n, n.Event.Timestamp.Add(1500*time.Millisecond), nil))
			text, err := protojson.Marshal(decoded)
			if err != nil {
				t.Fatal(err)
			}
			// protojson spaces its output at random, so that nobody relies on it.
			var compact bytes.Buffer
			if err := json.Compact(&compact, text); err != nil {
				t.Fatal(err)
			}
			providertest.Golden(t, file, compact.Bytes())
		})
	}
}

// TestNothingIsCut checks that long texts arrive whole, since the protocol knows no limit, and broken ones arrive.
func TestNothingIsCut(t *testing.T) {
	n := providertest.LongNotification()
	n.Event.Metadata["broken"] = "a\xffb"
	span := decode(t, newRequest(n, time.Now(), nil)).ResourceSpans[0].ScopeSpans[0].Spans[0]
	if span.Status.Message != n.Event.Message {
		t.Errorf("the message has %d bytes", len(span.Status.Message))
	}
	for _, attribute := range span.Attributes {
		value := attribute.Value.GetStringValue()
		if want, ok := n.Event.Metadata[attribute.Key]; ok && value != valid(want) {
			t.Errorf("attribute %s is %q", attribute.Key, value)
		}
	}
}

func decode(t *testing.T, request *collector.ExportTraceServiceRequest) *collector.ExportTraceServiceRequest {
	t.Helper()
	body, err := proto.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	var decoded collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(body, &decoded); err != nil {
		t.Fatal(err)
	}
	return &decoded
}
