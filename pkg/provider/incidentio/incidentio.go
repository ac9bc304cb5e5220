// Package incidentio fires and resolves alerts in incident.io, one for each object, through an HTTP alert source.
//
// Source: https://api-docs.incident.io/tag/Alert-Events-V2
package incidentio

import (
	"context"
	"maps"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// A request may have 512 KiB, encoded. A character of a text takes six times its size there at the worst, so with these
// limits, in bytes, the message and the metadata take 480 KiB at most.
//
// Source: maxPayloadSize of the integration that incident.io has given to Alertmanager,
// https://github.com/prometheus/alertmanager/blob/main/notify/incidentio/incidentio.go
const (
	maxMessage  = 64 << 10
	maxMetadata = 16 << 10
)

type sender struct {
	client  *http.Client
	address string
	header  http.Header
}

// New returns a Sender of type incident.io. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	if cfg.Token == "" {
		return nil, provider.MissingKey("token")
	}
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	header, err := httpx.TokenHeader("Authorization", "Bearer "+cfg.Token)
	if err != nil {
		return nil, err
	}
	return &sender{client: cfg.Client, address: cfg.Address, header: header}, nil
}

// Send implements [provider.Sender]. Whatever is no failure resolves the object's alert.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	return httpx.PostJSON(ctx, s.client, s.address, s.header, newAlertEvent(&n.Event))
}

// alertEvent says how an alert stands.
type alertEvent struct {
	Title  string `json:"title"`
	Status string `json:"status"`
	// DeduplicationKey tells one alert from another.
	DeduplicationKey string            `json:"deduplication_key"`
	Description      string            `json:"description,omitempty"`
	Metadata         map[string]string `json:"metadata"`
}

func newAlertEvent(e *event.Event) alertEvent {
	status := "resolved"
	if e.IsError() {
		status = "firing"
	}
	metadata := maps.Clone(e.Metadata)
	if metadata == nil {
		metadata = map[string]string{}
	}
	metadata["severity"] = e.Severity
	metadata["reason"] = e.Reason
	if e.ReportingController != "" {
		metadata["reportingController"] = e.ReportingController
	}
	return alertEvent{
		Title:            e.InvolvedObject.Dotted() + ": " + e.Reason,
		Status:           status,
		DeduplicationKey: e.InvolvedObject.UID,
		Description:      provider.CutBytes(e.Message, maxMessage),
		Metadata:         provider.CutValues(metadata, maxMetadata),
	}
}
