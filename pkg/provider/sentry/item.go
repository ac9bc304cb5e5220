package sentry

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Limits, in characters; that of a context is 8 kB. Sentry cuts longer ones itself, but refuses an event of more than 1 MB.
//
// Source: https://develop.sentry.dev/sdk/expected-features/data-handling/#variable-size
const (
	maxMessage = 8192
	maxTag     = 200
	maxContext = 8000
)

// item is what events and transactions have in common.
//
// Source: https://develop.sentry.dev/sdk/foundations/transport/event-payloads/
type item struct {
	EventID     string          `json:"event_id"`
	Timestamp   event.Timestamp `json:"timestamp,omitzero"`
	Platform    string          `json:"platform"`
	Level       string          `json:"level"`
	Message     string          `json:"message"`
	Environment string          `json:"environment,omitempty"`
	ServerName  string          `json:"server_name,omitempty"`
	Transaction string          `json:"transaction"`
}

func (s *sender) newItem(e *event.Event, eventID string) item {
	object := e.InvolvedObject
	return item{
		EventID:     eventID,
		Timestamp:   e.Timestamp,
		Platform:    "go",
		Message:     provider.CutRunes(e.Message, maxMessage),
		Environment: s.environment,
		Transaction: object.Kind + ": " + object.Namespace + "/" + object.Name,
	}
}

// failure is an error event.
type failure struct {
	item
	Contexts map[string]map[string]string `json:"contexts,omitempty"`
}

func (s *sender) newFailure(n *provider.Notification, ids ids) failure {
	f := failure{item: s.newItem(&n.Event, ids.event)}
	f.Level = "error"
	f.ServerName = n.Event.ReportingController
	if len(n.Event.Metadata) > 0 {
		f.Contexts = map[string]map[string]string{"metadata": provider.CutValues(n.Event.Metadata, maxContext)}
	}
	return f
}

// transaction is a transaction that took no time, with one span.
type transaction struct {
	item
	Type           string                   `json:"type"`
	StartTimestamp event.Timestamp          `json:"start_timestamp"`
	Contexts       map[string]spanReference `json:"contexts"`
	Tags           map[string]string        `json:"tags"`
	Spans          []span                   `json:"spans"`
}

// spanReference is where something is in a trace.
type spanReference struct {
	TraceID string `json:"trace_id"`
	SpanID  string `json:"span_id"`
	Op      string `json:"op"`
}

type span struct {
	spanReference
	ParentSpanID   string            `json:"parent_span_id"`
	Tags           map[string]string `json:"tags"`
	StartTimestamp event.Timestamp   `json:"start_timestamp"`
	Timestamp      event.Timestamp   `json:"timestamp"`
	Origin         string            `json:"origin"`
}

func (s *sender) newTransaction(n *provider.Notification, ids ids, now time.Time) transaction {
	t := transaction{item: s.newItem(&n.Event, ids.event), Type: "transaction", Tags: tags(&n.Event)}
	t.Level = "info"
	t.ServerName = s.host
	if t.Timestamp.IsZero() {
		// Sentry takes no transaction without its times.
		t.Timestamp.Time = now
	}
	t.StartTimestamp = t.Timestamp
	t.Contexts = map[string]spanReference{"trace": {TraceID: ids.trace, SpanID: ids.root, Op: "event"}}
	t.Spans = []span{{
		spanReference:  spanReference{TraceID: ids.trace, SpanID: ids.child, Op: "event"},
		ParentSpanID:   ids.root,
		Tags:           t.Tags,
		StartTimestamp: t.Timestamp,
		Timestamp:      t.Timestamp,
		Origin:         "manual",
	}}
	return t
}

// tags names the object and what happened to it. Metadata overrides that.
func tags(e *event.Event) map[string]string {
	tags := map[string]string{
		"flux_involved_object_kind":      e.InvolvedObject.Kind,
		"flux_involved_object_namespace": e.InvolvedObject.Namespace,
		"flux_involved_object_name":      e.InvolvedObject.Name,
		"flux_reporting_controller":      e.ReportingController,
		"flux_reporting_instance":        e.ReportingInstance,
		"flux_reason":                    e.Reason,
	}
	maps.Copy(tags, e.Metadata)
	for key, value := range tags {
		tags[key] = provider.CutRunes(value, maxTag)
	}
	return tags
}

// ids are of a notification, the same for every attempt to send it.
type ids struct{ event, trace, root, child string }

func newIDs(n *provider.Notification) ids {
	digest := sha256.Sum256([]byte(strings.Join([]string{n.Event.ID, n.Alert.UID, n.Provider.UID}, "/")))
	return ids{
		event: hex.EncodeToString(digest[:16]),
		trace: hex.EncodeToString(digest[16:]),
		root:  hex.EncodeToString(digest[:8]),
		child: hex.EncodeToString(digest[8:16]),
	}
}
