// Package pagerduty triggers and resolves alerts in PagerDuty through its Events API v2, one for each object, and
// reports successes as change events.
//
// Sources: https://developer.pagerduty.com/docs/events-api-v2/trigger-events/,
// https://developer.pagerduty.com/docs/events-api-v2/send-change-events/
package pagerduty

import (
	"context"
	"fmt"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

type sender struct {
	client               *http.Client
	alertsURL, changeURL string
	routingKey           string
}

// New returns a Sender of type pagerduty. Of the address, scheme and host are used. The channel is the routing key, a
// secret, which the Sender keeps out of its errors. The error names what to change: the address or the channel.
func New(cfg provider.Config) (provider.Sender, error) {
	address, err := httpx.ParseURL(cfg.Address)
	if err != nil {
		return nil, err
	}
	if cfg.Channel == "" {
		return nil, provider.Permanentf(provider.ReasonConfig, "spec.channel, the routing key, is empty")
	}
	base := address.Scheme + "://" + address.Host
	s := &sender{
		client:     cfg.Client,
		alertsURL:  base + "/v2/enqueue",
		changeURL:  base + "/v2/change/enqueue",
		routingKey: cfg.Channel,
	}
	return provider.Redact(s, provider.NewRedactor(cfg.Channel)), nil
}

// Send implements [provider.Sender]. Whatever is no failure resolves the object's alert, should there be one; what is of
// severity info is reported as a change too. If only that fails, trying again resolves once more, which changes nothing.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	if err := httpx.PostJSON(ctx, s.client, s.alertsURL, nil, newAlertEvent(&n.Event, s.routingKey)); err != nil {
		return fmt.Errorf("alert event: %w", err)
	}
	if n.Event.Severity != severityInfo {
		return nil
	}
	if err := httpx.PostJSON(ctx, s.client, s.changeURL, nil, newChangeEvent(&n.Event, s.routingKey)); err != nil {
		return fmt.Errorf("change event: %w", err)
	}
	return nil
}
