// Package alertmanager sends alerts to a Prometheus Alertmanager through version 2 of its API and, where the Provider
// says so, resolves them.
//
// Sources: https://prometheus.io/docs/alerting/latest/alerts_api/,
// https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
package alertmanager

import (
	"context"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

type sender struct {
	client  *http.Client
	address string
	header  http.Header
	resolve bool
}

// New returns a Sender of type alertmanager. The address is that of the API's alerts, such as
// https://alertmanager.example.com/api/v2/alerts/. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	header, err := httpx.TokenHeader("Authorization", authorization(cfg))
	if err != nil {
		return nil, err
	}
	return &sender{client: cfg.Client, address: cfg.Address, header: header, resolve: cfg.Resolve}, nil
}

// authorization prefers username and password to the token.
func authorization(cfg provider.Config) string {
	switch {
	case cfg.Username != "" && cfg.Password != "":
		return httpx.BasicAuth(cfg.Username, cfg.Password)
	case cfg.Token != "":
		return "Bearer " + cfg.Token
	default:
		return ""
	}
}

// Send implements [provider.Sender]. Without [provider.Config.Resolve] every notification fires an alert, which ends
// when Alertmanager's resolve_timeout is over.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	if s.resolve && n.IsProgressing() {
		// The Provider has been edited meanwhile: see [provider.Type.SkipResolving].
		return provider.Supersededf("work that has only begun resolves no alert")
	}
	a := newAlert(&n.Event)
	if s.resolve {
		a = newIncident(&n.Event)
	}
	return httpx.PostJSON(ctx, s.client, s.address, s.header, []alert{a})
}
