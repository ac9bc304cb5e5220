// Package grafana adds annotations to Grafana, of the organization and thus for all dashboards that ask for their tags.
//
// Source: https://grafana.com/docs/grafana/latest/developers/http_api/annotations/
package grafana

import (
	"context"
	"net/http"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// maxTags is the limit of all tags together, in bytes: of a JSON list of them without escapes. It is Grafana's default;
// a longer list is refused.
//
// Source: https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#tags_length
const maxTags = 500

// maxTagPart is how many characters Grafana's database has for a tag's key, and for its value, where it is PostgreSQL or
// MySQL: a longer one is an internal error.
//
// Sources: https://github.com/grafana/grafana/issues/44230, https://github.com/grafana/grafana/issues/98361
const maxTagPart = 100

type sender struct {
	client  *http.Client
	address string
	header  http.Header
}

// New returns a Sender of type grafana. The address is that of the API's annotations, such as
// https://grafana.example.com/api/annotations. The error names what to change: the address or the token.
func New(cfg provider.Config) (provider.Sender, error) {
	if err := httpx.CheckURL(cfg.Address); err != nil {
		return nil, err
	}
	header, err := httpx.TokenHeader("Authorization", authorization(cfg))
	if err != nil {
		return nil, err
	}
	return &sender{client: cfg.Client, address: cfg.Address, header: header}, nil
}

// authorization prefers the token to username and password.
func authorization(cfg provider.Config) string {
	switch {
	case cfg.Token != "":
		return "Bearer " + cfg.Token
	case cfg.Username != "" && cfg.Password != "":
		return httpx.BasicAuth(cfg.Username, cfg.Password)
	default:
		return ""
	}
}

// Send implements [provider.Sender].
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	return httpx.PostJSON(ctx, s.client, s.address, s.header, newAnnotation(&n.Event))
}

type annotation struct {
	// When is the time in seconds since 1970. Grafana reads it from Graphite's form of annotations only.
	When int64    `json:"when"`
	Text string   `json:"text"`
	Tags []string `json:"tags"`
}

func newAnnotation(e *event.Event) annotation {
	return annotation{When: e.Timestamp.Unix(), Text: e.InvolvedObject.Dotted(), Tags: tags(e)}
}

// tags are words and pairs. Grafana takes the first colon for the end of a key, so there is no other.
func tags(e *event.Event) []string {
	before := []string{"flux", part(e.ReportingController)}
	after := []string{
		"kind: " + part(e.InvolvedObject.Kind),
		"name: " + part(e.InvolvedObject.Name),
		"namespace: " + part(e.InvolvedObject.Namespace),
	}
	metadata := make(map[string]string, len(e.Metadata))
	noColon := strings.NewReplacer(":", "|")
	for _, key := range event.SortedKeys(e.Metadata) {
		metadata[part(noColon.Replace(key))] = part(noColon.Replace(e.Metadata[key]))
	}
	// What is not metadata, the brackets and, of each pair of metadata, separator, comma and quotes.
	taken := size(before) + size(after) + len("[]") + len(metadata)*len(`,": "`)
	metadata = provider.CutValues(metadata, maxTags-taken)
	tags := before
	for _, key := range event.SortedKeys(metadata) {
		tags = append(tags, key+": "+metadata[key])
	}
	return append(tags, after...)
}

// part is a key or a value.
func part(s string) string { return provider.CutRunes(s, maxTagPart) }

// size is how many bytes of the limit tags take, each with a comma and quotes.
func size(tags []string) int {
	total := 0
	for _, tag := range tags {
		total += len(tag) + len(`,""`)
	}
	return total
}
