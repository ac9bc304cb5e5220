// Package datadog posts events to Datadog.
//
// Source: https://docs.datadoghq.com/api/latest/events/post-an-event/
package datadog

import (
	"context"
	"net/http"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// defaultAddress is that of the site US1.
const defaultAddress = "https://api.datadoghq.com"

// maxText is the limit of the text, in characters.
//
// Source: https://docs.datadoghq.com/api/latest/events/post-an-event/
const maxText = 4000

// maxTag is the limit of a tag, in characters.
//
// Source: https://docs.datadoghq.com/getting_started/tagging/
const maxTag = 200

type sender struct {
	client *http.Client
	url    string
	header http.Header
}

// New returns a Sender of type datadog. The token is an API key. Of the address, which may lack the scheme, scheme and
// host are used. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	if cfg.Token == "" {
		return nil, provider.MissingKey("token")
	}
	header, err := httpx.TokenHeader("DD-API-KEY", cfg.Token)
	if err != nil {
		return nil, err
	}
	header.Set("Accept", "application/json")
	address := cfg.Address
	switch {
	case address == "":
		address = defaultAddress
	case !strings.Contains(address, "://"):
		address = "https://" + address
	}
	u, err := httpx.ParseURL(address)
	if err != nil {
		return nil, err
	}
	return &sender{client: cfg.Client, url: u.Scheme + "://" + u.Host + "/api/v1/events", header: header}, nil
}

// Send implements [provider.Sender].
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	return httpx.PostJSON(ctx, s.client, s.url, s.header, newPost(&n.Event))
}

// post is an event of Datadog's.
type post struct {
	AlertType string `json:"alert_type"`
	// DateHappened is in seconds since 1970; without it, it is the time of arrival.
	DateHappened   int64    `json:"date_happened,omitempty"`
	SourceTypeName string   `json:"source_type_name"`
	Tags           []string `json:"tags"`
	Text           string   `json:"text"`
	Title          string   `json:"title"`
}

func newPost(e *event.Event) post {
	object := e.InvolvedObject
	p := post{
		AlertType:      "info",
		SourceTypeName: "fluxcd",
		Tags:           tags(e),
		Text:           provider.CutRunes(e.Message, maxText),
		Title:          "Events from the " + object.Kind + " " + object.Name + "/" + object.Namespace,
	}
	if e.IsError() {
		p.AlertType = "error"
	}
	if !e.Timestamp.IsZero() {
		p.DateHappened = e.Timestamp.Unix()
	}
	return p
}

func tags(e *event.Event) []string {
	tags := []string{
		"flux_reporting_controller:" + e.ReportingController,
		"flux_reason:" + e.Reason,
		"kube_kind:" + e.InvolvedObject.Kind,
		"kube_name:" + e.InvolvedObject.Name,
		"kube_namespace:" + e.InvolvedObject.Namespace,
	}
	for _, key := range event.SortedKeys(e.Metadata) {
		tags = append(tags, key+":"+e.Metadata[key])
	}
	for i, tag := range tags {
		tags[i] = provider.CutRunes(strings.ToLower(tag), maxTag)
	}
	return tags
}
