// Package sentry reports failures to Sentry as error events, and everything else as transactions of one span.
//
// Source: https://develop.sentry.dev/sdk/foundations/transport/envelopes/
package sentry

import (
	"context"
	"net/http"
	"os"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// client is how we name ourselves.
const client = "notification-controller"

type sender struct {
	client      *http.Client
	dsn         dsn
	header      http.Header
	environment string
	// host is where we run.
	host string
}

// New returns a Sender of type sentry. The address is a DSN, whose keys the Sender keeps out of its errors; the channel
// is the environment. The error names what to change: the address.
func New(cfg provider.Config) (provider.Sender, error) {
	d, err := parseDSN(cfg.Address)
	if err != nil {
		return nil, err
	}
	header := http.Header{}
	header.Set("Content-Type", "application/x-sentry-envelope")
	header.Set("X-Sentry-Auth", d.auth())
	// Without a name Sentry shows none.
	host, _ := os.Hostname()
	s := &sender{client: cfg.Client, dsn: d, header: header, environment: cfg.Channel, host: host}
	return provider.Redact(s, provider.NewRedactor(d.publicKey, d.secretKey)), nil
}

// Send implements [provider.Sender]. Sentry drops an event that it has already, so trying again does not repeat it.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	body, err := s.envelope(n, time.Now().UTC())
	if err != nil {
		return provider.Permanentf(provider.ReasonInvalid, "encode envelope: %w", err)
	}
	_, err = httpx.Send(ctx, s.client, httpx.Request{URL: s.dsn.endpoint, Header: s.header, Body: body})
	return err
}
