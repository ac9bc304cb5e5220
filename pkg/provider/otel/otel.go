// Package otel sends each event as a span to an OpenTelemetry collector, as protobuf over HTTP. The events of an Alert
// about one revision are a trace.
//
// Source: https://opentelemetry.io/docs/specs/otlp/#otlphttp
package otel

import (
	"cmp"
	"context"
	"net/http"
	"net/url"
	"os"
	"time"

	collector "go.opentelemetry.io/proto/slim/otlp/collector/trace/v1"
	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	"google.golang.org/protobuf/proto"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// defaultPath is where a collector takes traces.
const defaultPath = "/v1/traces"

type sender struct {
	client *http.Client
	url    string
	header http.Header
	// attributes of the resource, beside those of the Alert. They are shared by all requests.
	attributes []*common.KeyValue
}

// New returns a Sender of type otel. Query and user information of the address are not used. The error names what to
// change: the address, the headers or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	address, err := httpx.ParseURL(cfg.Address)
	if err != nil {
		return nil, err
	}
	if cfg.TLS != nil && address.Scheme != "https" {
		// Who names a CA or a certificate does not want the token to be sent in plain text.
		return nil, httpx.AddressError("has to start with https:// where there is spec.certSecretRef")
	}
	if err := httpx.CheckHeaders(provider.SecretKey("headers"), cfg.Headers); err != nil {
		return nil, err
	}
	credentials := authorization(cfg)
	header, err := httpx.TokenHeader("Authorization", credentials)
	if err != nil {
		return nil, err
	}
	for _, name := range event.SortedKeys(cfg.Headers) {
		header.Set(name, cfg.Headers[name])
	}
	header.Set("Content-Type", "application/x-protobuf")
	s := &sender{client: cfg.Client, url: endpoint(address), header: header, attributes: resourceAttributes(os.Getenv(resourceVariable))}
	return provider.Redact(s, provider.NewRedactor(credentials)), nil
}

func endpoint(address *url.URL) string {
	return address.Scheme + "://" + address.Host + cmp.Or(address.EscapedPath(), defaultPath)
}

// authorization is what goes into the header of that name, unless the user sets it: the token, as the password of the
// user if there is one. A password does for a token.
func authorization(cfg provider.Config) string {
	token := cmp.Or(cfg.Token, cfg.Password)
	switch {
	case token == "":
		return ""
	case cfg.Username != "":
		return httpx.BasicAuth(cfg.Username, token)
	default:
		return "Bearer " + token
	}
}

// Skip says that no spans are made of HelmRepositories.
func Skip(n *provider.Notification) bool { return n.Event.InvolvedObject.Kind == "HelmRepository" }

// Send implements [provider.Sender]. Trying again sends the same span: trace and span have the same ids.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	body, err := proto.Marshal(newRequest(n, time.Now(), s.attributes))
	if err != nil {
		return provider.Permanentf(provider.ReasonInvalid, "encode span: %w", err)
	}
	answer, err := httpx.Send(ctx, s.client, httpx.Request{URL: s.url, Header: s.header, Body: body})
	if err != nil {
		return err
	}
	return partialSuccess(answer.Body)
}

// partialSuccess returns an error if the answer, with a status of success, says that the span was not taken. What is no
// such answer says nothing.
//
// Source: https://opentelemetry.io/docs/specs/otlp/#partial-success-1
func partialSuccess(body []byte) error {
	var answer collector.ExportTraceServiceResponse
	if proto.Unmarshal(body, &answer) != nil || answer.GetPartialSuccess().GetRejectedSpans() == 0 {
		return nil
	}
	return provider.Permanentf(provider.ReasonRejected, "the service rejected the span: %s", httpx.Quote([]byte(answer.GetPartialSuccess().GetErrorMessage())))
}
