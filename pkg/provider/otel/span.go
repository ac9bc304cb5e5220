package otel

import (
	"crypto/sha256"
	"strings"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	trace "go.opentelemetry.io/proto/slim/otlp/trace/v1"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

const (
	// scopeName is what makes the spans.
	scopeName = "flux:notification-controller"
	// schemaURL says which version of the semantic conventions the resource's attributes follow.
	schemaURL = "https://opentelemetry.io/schemas/1.34.0"
	// sampled is the flag of a trace that is recorded (https://www.w3.org/TR/trace-context/#sampled-flag).
	sampled = 0x01
	// unknownRevision stands for the revision where an event has none.
	unknownRevision = "unknown"
)

// newRequest returns a request with one span, which ends now. The resource has more attributes than those of the Alert.
func newRequest(n *provider.Notification, now time.Time, more []*common.KeyValue) *collector.ExportTraceServiceRequest {
	return &collector.ExportTraceServiceRequest{ResourceSpans: []*trace.ResourceSpans{{
		Resource:  newResource(n.Alert, more),
		SchemaUrl: schemaURL,
		ScopeSpans: []*trace.ScopeSpans{{
			Scope: &common.InstrumentationScope{Name: scopeName},
			Spans: []*trace.Span{newSpan(n, now)},
		}},
	}}}
}

func newSpan(n *provider.Notification, now time.Time) *trace.Span {
	e := &n.Event
	object := e.InvolvedObject
	start := e.Timestamp.Time
	if start.IsZero() {
		start = now
	}
	span := &trace.Span{
		TraceId: traceID(n),
		SpanId:  spanID(n),
		Flags: sampled | uint32(trace.SpanFlags_SPAN_FLAGS_CONTEXT_HAS_IS_REMOTE_MASK) |
			uint32(trace.SpanFlags_SPAN_FLAGS_CONTEXT_IS_REMOTE_MASK),
		Name:              valid(object.Kind + ": " + object.Namespace + "/" + object.Name),
		Kind:              trace.Span_SPAN_KIND_INTERNAL,
		StartTimeUnixNano: uint64(start.UnixNano()),
		// Where the clock of the event's controller is ahead, the span must not end before it starts.
		EndTimeUnixNano: uint64(max(now.UnixNano(), start.UnixNano())),
		Attributes:      attributes(e),
		Status:          &trace.Status{Code: trace.Status_STATUS_CODE_OK},
	}
	if e.IsError() {
		span.Status = &trace.Status{Code: trace.Status_STATUS_CODE_ERROR, Message: valid(e.Message)}
	}
	return span
}

// attributes names the object and adds the metadata, which overrides that.
func attributes(e *event.Event) []*common.KeyValue {
	object := [][2]string{
		{"object.uid", e.InvolvedObject.UID},
		{"object.kind", e.InvolvedObject.Kind},
		{"object.name", e.InvolvedObject.Name},
		{"object.namespace", e.InvolvedObject.Namespace},
	}
	var attributes []*common.KeyValue
	for _, pair := range object {
		if _, ok := e.Metadata[pair[0]]; !ok {
			attributes = append(attributes, attribute(pair[0], pair[1]))
		}
	}
	for _, key := range event.SortedKeys(e.Metadata) {
		attributes = append(attributes, attribute(key, e.Metadata[key]))
	}
	return attributes
}

func attribute(key, value string) *common.KeyValue {
	return &common.KeyValue{
		Key:   valid(key),
		Value: &common.AnyValue{Value: &common.AnyValue_StringValue{StringValue: valid(value)}},
	}
}

// valid returns s as protobuf takes it.
func valid(s string) string { return strings.ToValidUTF8(s, "\uFFFD") }

// traceID is the same for all events of an Alert about a revision.
func traceID(n *provider.Notification) []byte {
	digest := sha256.Sum256([]byte(n.Alert.UID + ":" + revision(n.Event.Metadata)))
	return digest[:16]
}

// spanID is the same for every attempt to send a notification.
func spanID(n *provider.Notification) []byte {
	digest := sha256.Sum256([]byte(n.Event.ID + "/" + n.Alert.UID))
	return digest[:8]
}

// revision is that of the chart, if it is an OCI artifact, or of the source.
func revision(metadata map[string]string) string {
	digest, version := metadata["oci-digest"], metadata["app-version"]
	if digest != "" && version != "" {
		return version + "@" + digest
	}
	if revision := metadata[event.KeyRevision]; revision != "" {
		return revision
	}
	return unknownRevision
}
