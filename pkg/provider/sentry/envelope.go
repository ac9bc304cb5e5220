package sentry

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// envelopeHeader is the first line of an envelope.
type envelopeHeader struct {
	EventID string    `json:"event_id"`
	SentAt  time.Time `json:"sent_at"`
	DSN     string    `json:"dsn"`
}

// itemHeader is the line before an item, whose length is in bytes.
type itemHeader struct {
	Type   string `json:"type"`
	Length int    `json:"length"`
}

// envelope returns a header and one item with its own header, each on a line.
func (s *sender) envelope(n *provider.Notification, now time.Time) ([]byte, error) {
	ids := newIDs(n)
	kind, content := "transaction", any(s.newTransaction(n, ids, now))
	if n.Event.IsError() {
		kind, content = "event", s.newFailure(n, ids)
	}
	item, err := json.Marshal(content)
	if err != nil {
		return nil, err
	}
	var body bytes.Buffer
	lines := json.NewEncoder(&body)
	for _, line := range []any{
		envelopeHeader{EventID: ids.event, SentAt: now, DSN: s.dsn.text},
		itemHeader{Type: kind, Length: len(item)},
		json.RawMessage(item),
	} {
		if err := lines.Encode(line); err != nil {
			return nil, err
		}
	}
	return body.Bytes(), nil
}
