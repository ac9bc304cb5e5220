// Package opsgenie opens alerts in Opsgenie and, where the Provider says so, closes them.
//
// Source: https://docs.opsgenie.com/docs/alert-api
package opsgenie

import (
	"context"
	"net/http"
	"net/url"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

type sender struct {
	client *http.Client
	// address is where alerts are created; an alert's own actions are below it.
	address *url.URL
	header  http.Header
	resolve bool
}

// New returns a Sender of type opsgenie. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	if cfg.Token == "" {
		return nil, provider.MissingKey("token")
	}
	address, err := httpx.ParseURL(cfg.Address)
	if err != nil {
		return nil, err
	}
	header, err := httpx.TokenHeader("Authorization", "GenieKey "+cfg.Token)
	if err != nil {
		return nil, err
	}
	return &sender{client: cfg.Client, address: address, header: header, resolve: cfg.Resolve}, nil
}

// Send implements [provider.Sender]. Without [provider.Config.Resolve] every notification is an alert, and nothing is
// ever closed. Opsgenie takes a request and works on it later, so closing what is not open is no error.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	switch {
	case !s.resolve:
		return s.post(ctx, s.address, newAlert(n, alias(n, n.Event.Reason)))
	case n.Event.IsError():
		return s.post(ctx, s.address, newAlert(n, alias(n)))
	case n.IsProgressing():
		// The Provider has been edited meanwhile: see [provider.Type.SkipResolving].
		return provider.Supersededf("work that has only begun closes no alert")
	default:
		return s.post(ctx, s.closeURL(alias(n)), newClosing(n))
	}
}

func (s *sender) post(ctx context.Context, address *url.URL, payload any) error {
	return httpx.PostJSON(ctx, s.client, address.String(), s.header, payload)
}

func (s *sender) closeURL(alias string) *url.URL {
	address := s.address.JoinPath(alias, "close")
	query := address.Query()
	query.Set("identifierType", "alias")
	address.RawQuery = query.Encode()
	return address
}
