package pagerduty

import (
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// severityInfo is that of the events that are changes.
const severityInfo = "info"

// maxSummary is the limit of the summary, in characters.
//
// Source: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/
const maxSummary = 1024

// An event may have 512 KB, encoded. A character of a text takes six times its size there at the worst, so with these
// limits, in bytes, the message and the metadata take 480 KiB at most.
//
// Source: https://developer.pagerduty.com/docs/events-api-v2/overview/
const (
	maxMessage  = 64 << 10
	maxMetadata = 16 << 10
)

// message is an alert event or a change event, which has no action.
type message struct {
	RoutingKey string `json:"routing_key"`
	Action     string `json:"event_action,omitempty"`
	// DedupKey tells one alert from another.
	DedupKey string   `json:"dedup_key,omitempty"`
	Payload  *payload `json:"payload,omitempty"`
}

// payload says what happened. Severity, component and group are not for change events.
type payload struct {
	Summary   string          `json:"summary"`
	Source    string          `json:"source"`
	Severity  string          `json:"severity,omitempty"`
	Timestamp event.Timestamp `json:"timestamp,omitzero"`
	Component string          `json:"component,omitempty"`
	Group     string          `json:"group,omitempty"`
	Details   details         `json:"custom_details"`
}

type details struct {
	Message  string            `json:"message"`
	Metadata map[string]string `json:"metadata,omitempty"`
}

// newAlertEvent triggers the alert of a failed object, and otherwise resolves it.
func newAlertEvent(e *event.Event, routingKey string) message {
	m := message{RoutingKey: routingKey, Action: "resolve", DedupKey: e.InvolvedObject.UID}
	if e.IsError() {
		m.Action = "trigger"
		m.Payload = newPayload(e)
		m.Payload.Severity = "error"
		m.Payload.Component = e.InvolvedObject.Name
		m.Payload.Group = e.InvolvedObject.Kind
	}
	return m
}

func newChangeEvent(e *event.Event, routingKey string) message {
	return message{RoutingKey: routingKey, Payload: newPayload(e)}
}

func newPayload(e *event.Event) *payload {
	summary := provider.Describe(e.Reason) + ": " + provider.ShortName(e.InvolvedObject)
	return &payload{
		Summary:   provider.CutRunes(summary, maxSummary),
		Source:    "Flux " + e.ReportingController,
		Timestamp: e.Timestamp,
		Details: details{
			Message:  provider.CutBytes(e.Message, maxMessage),
			Metadata: provider.CutValues(e.Metadata, maxMetadata),
		},
	}
}
