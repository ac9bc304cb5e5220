// Package generic sends events as they are: the JSON document of package event in a POST to any HTTP endpoint.
// Type generic-hmac adds a signature, an HMAC (RFC 2104) of the body with SHA-256.
package generic

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Headers of a request, beside those that the user sets.
const (
	// ComponentHeader says which controller reported the event.
	ComponentHeader = "Gotk-Component"
	// SignatureHeader is "sha256=" and the HMAC of the body in hexadecimal.
	SignatureHeader = "X-Signature"
)

type sender struct {
	client  *http.Client
	address string
	// header is what the user sets. It overrides everything but the signature.
	header http.Header
	// key signs the body, if there is one.
	key []byte
}

// New returns a Sender of type generic. The error names what to change: the address or the headers.
func New(cfg provider.Config) (provider.Sender, error) {
	s, err := newSender(cfg)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// NewHMAC returns a Sender of type generic-hmac. The token is the key, byte for byte. The error names what to
// change: the address, the headers or the token.
func NewHMAC(cfg provider.Config) (provider.Sender, error) {
	if cfg.Token == "" {
		return nil, provider.MissingKey("token")
	}
	s, err := newSender(cfg)
	if err != nil {
		return nil, err
	}
	s.key = []byte(cfg.Token)
	return s, nil
}

func newSender(cfg provider.Config) (*sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	if err := httpx.CheckHeaders(provider.SecretKey("headers"), cfg.Headers); err != nil {
		return nil, err
	}
	header := http.Header{}
	// In order, so that it is always the same one of two names that differ in case only.
	for _, name := range event.SortedKeys(cfg.Headers) {
		header.Set(name, cfg.Headers[name])
	}
	return &sender{client: cfg.Client, address: cfg.Address, header: header}, nil
}

// Send implements [provider.Sender]. Any 2xx means that the notification was taken.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	body, err := json.Marshal(n.Event)
	if err != nil {
		return provider.Permanentf(provider.ReasonInvalid, "encode event: %w", err)
	}
	header := http.Header{}
	header.Set("Content-Type", "application/json")
	header.Set(ComponentHeader, n.Event.ReportingController)
	maps.Copy(header, s.header)
	if s.key != nil {
		header.Set(SignatureHeader, sign(s.key, body))
	}
	_, err = httpx.Send(ctx, s.client, httpx.Request{URL: s.address, Header: header, Body: body})
	return err
}

func sign(key, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write(body)
	return "sha256=" + hex.EncodeToString(mac.Sum(nil))
}
