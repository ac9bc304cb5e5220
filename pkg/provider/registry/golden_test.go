package registry

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// goldenProvider is a Provider of the installation whose requests were recorded.
type goldenProvider struct {
	kind   string
	config func(url string) provider.Config
}

// goldenProviders are those of which the table has the type.
func goldenProviders() map[string]goldenProvider {
	return map[string]goldenProvider{
		"alertmanager": {"alertmanager", func(url string) provider.Config {
			return provider.Config{Address: url + "/api/v2/alerts/", Username: "u", Password: "p"}
		}},
		"datadog": {"datadog", func(url string) provider.Config {
			return provider.Config{Address: url, Token: "dtok"}
		}},
		"discord": {"discord", func(url string) provider.Config {
			return provider.Config{Address: url + "/api/webhooks/1/abc", Channel: "c", Username: "flux"}
		}},
		"generic": {"generic", func(url string) provider.Config {
			return provider.Config{Address: url + "/hook", Headers: map[string]string{"X-Custom": "one", "Authorization": "Basic abc"}}
		}},
		"generic-hmac": {"generic-hmac", func(url string) provider.Config {
			return provider.Config{Address: url + "/hook", Token: "hmac-key"}
		}},
		"googlechat": {"googlechat", func(url string) provider.Config {
			return provider.Config{Address: url + "/v1/spaces/x/messages"}
		}},
		"grafana": {"grafana", func(url string) provider.Config {
			return provider.Config{Address: url + "/api/annotations", Token: "gtok"}
		}},
		"incident-io": {"incident.io", func(url string) provider.Config {
			return provider.Config{Address: url + "/v2/alert_events/http/x", Token: "itok"}
		}},
		"lark": {"lark", func(url string) provider.Config {
			return provider.Config{Address: url + "/open-apis/bot/v2/hook/x"}
		}},
		"matrix": {"matrix", func(url string) provider.Config {
			return provider.Config{Address: url, Channel: "!abc:example.org", Token: "mtok"}
		}},
		"msteams": {"msteams", func(url string) provider.Config {
			return provider.Config{Address: url + "/workflows/1"}
		}},
		"opsgenie": {"opsgenie", func(url string) provider.Config {
			return provider.Config{Address: url + "/v2/alerts", Token: "otok"}
		}},
		"otel": {"otel", func(url string) provider.Config {
			return provider.Config{Address: url + "/v1/traces"}
		}},
		"pagerduty": {"pagerduty", func(url string) provider.Config {
			return provider.Config{Address: url, Channel: "routing-key"}
		}},
		"rocket": {"rocket", func(url string) provider.Config {
			return provider.Config{Address: url + "/hooks/1", Channel: "general", Username: "flux"}
		}},
		"sentry": {"sentry", func(url string) provider.Config {
			return provider.Config{Address: strings.Replace(url, "://", "://key@", 1) + "/42", Channel: "prod"}
		}},
		"slack-bot": {"slack", func(url string) provider.Config {
			return provider.Config{Address: url + "/api/chat.postMessage", Channel: "general", Username: "flux", Token: "xoxb-1"}
		}},
		"slack-hook": {"slack", func(url string) provider.Config {
			return provider.Config{Address: url + "/services/x", Channel: "general"}
		}},
		"webex": {"webex", func(url string) provider.Config {
			return provider.Config{Address: url + "/v1/messages", Channel: "room-1", Token: "wtok"}
		}},
		"zoom": {"zoom", func(url string) provider.Config {
			return provider.Config{Address: url + "/chat/webhooks/x?format=full", Token: "ztok"}
		}},
		"zulip": {"zulip", func(url string) provider.Config {
			return provider.Config{Address: url, Channel: "general/flux", Username: "bot@example.org", Password: "pw"}
		}},
	}
}

// goldenRequest is a request as it was recorded. Headers that every client sends are left out.
type goldenRequest struct {
	Method  string            `json:"method"`
	Path    string            `json:"path"`
	Query   string            `json:"query"`
	Headers map[string]string `json:"headers"`
	Body    any               `json:"body"`
}

// TestGoldenRequests sends three recorded events and compares the requests with those that a Flux v1.9 installation
// sent for them.
func TestGoldenRequests(t *testing.T) {
	var events []struct {
		Name  string          `json:"name"`
		Event json.RawMessage `json:"event"`
	}
	readJSON(t, "events.json", &events)
	var recorded map[string]map[string][]goldenRequest
	readJSON(t, "requests.json", &recorded)
	registry := New()
	providers := goldenProviders()
	maps.Copy(providers, gitGoldenProviders())
	for _, e := range events {
		for name, p := range providers {
			t.Run(e.Name+"/"+name, func(t *testing.T) {
				row, ok := registry.Lookup(p.kind)
				if !ok {
					t.Fatalf("no type %q", p.kind)
				}
				n := notification(t, e.Event)
				if !routed(row, n) {
					if requests := recorded[e.Name][name]; requests != nil {
						t.Errorf("requests were recorded of what is not sent: %s", indent(requests))
					}
					return
				}
				got := changes(goldenSend(t, row, p, n))
				want := changes(recorded[e.Name][name])
				sortMetadata(got)
				sortMetadata(want)
				if !reflect.DeepEqual(got, want) {
					t.Errorf("requests differ\ngot:  %s\nwant: %s", indent(got), indent(want))
				}
			})
		}
	}
}

// routed says whether an event gets to a type that takes only some, as package dispatch decides.
func routed(row provider.Type, n *provider.Notification) bool {
	switch row.Family {
	case provider.FamilyCommitStatus:
		return n.Event.IsError()
	case provider.FamilyChangeRequest:
		return n.Event.Metadata[event.KeyChangeRequest] != ""
	default:
		return true
	}
}

// changes leaves out the requests that only look around.
func changes(requests []goldenRequest) []goldenRequest {
	return slices.DeleteFunc(requests, func(r goldenRequest) bool {
		return r.Method == http.MethodGet || r.Method == http.MethodOptions
	})
}

// sortMetadata sorts what shows metadata, which Flux writes in the order of a map: lists and lines of a text.
func sortMetadata(requests []goldenRequest) {
	for i := range requests {
		requests[i].Body = sorted(requests[i].Body)
	}
}

func sorted(body any) any {
	switch body := body.(type) {
	case map[string]any:
		for key, value := range body {
			body[key] = sorted(value)
		}
	case []any:
		for i, value := range body {
			body[i] = sorted(value)
		}
		if !slices.ContainsFunc(body, func(value any) bool { return !isEntry(value) }) {
			slices.SortFunc(body, func(a, b any) int { return bytes.Compare(indent(a), indent(b)) })
		}
	case string:
		return regexp.MustCompile(`(?m)(^(- |>\*\*|\w+: ).*\n)+`).ReplaceAllStringFunc(body, func(lines string) string {
			return strings.Join(slices.Sorted(strings.Lines(lines)), "")
		})
	}
	return body
}

// isEntry says whether a part of a message shows an entry of metadata.
func isEntry(value any) bool {
	part, _ := value.(map[string]any)
	_, titled := part["title"]
	_, keyed := part["key"]
	return titled || keyed || part["keyValue"] != nil
}

// TestGoldenProvidersCoverTypes finds rows whose recorded requests are not compared.
func TestGoldenProvidersCoverTypes(t *testing.T) {
	covered := map[string]bool{}
	for _, providers := range []map[string]goldenProvider{goldenProviders(), gitGoldenProviders()} {
		for _, p := range providers {
			covered[p.kind] = true
		}
	}
	var recorded map[string]map[string][]goldenRequest
	readJSON(t, "requests.json", &recorded)
	for _, row := range Types() {
		name := strings.ReplaceAll(row.Name, ".", "-")
		for _, providers := range recorded {
			if _, ok := providers[name]; ok && !covered[row.Name] {
				t.Errorf("the requests of type %q are recorded but not compared", row.Name)
				break
			}
		}
	}
}

// notification takes an event on the way that all take, with an Alert that adds no metadata.
func notification(t *testing.T, body []byte) *provider.Notification {
	e, err := event.Decode(body)
	if err != nil {
		t.Fatal(err)
	}
	e.Metadata = event.Clean(e)
	e.DropInternal()
	e.Metadata, _ = event.Merge(e, nil, "")
	return &provider.Notification{Event: *e, Provider: provider.Object{UID: "UID"}, StatusID: "kustomization/webapp/UID8"}
}

func goldenSend(t *testing.T, row provider.Type, p goldenProvider, n *provider.Notification) []goldenRequest {
	service := providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
		if row.Family != provider.FamilyOther && row.Family != provider.FamilyGeneric {
			emptyHost(w, r)
		}
	})
	cfg := p.config(service.URL)
	cfg.Type = row.Name
	cfg.Timeout = 10 * time.Second
	cfg.Client = httpx.NewClient(httpx.Options{})
	defer cfg.Client.CloseIdleConnections()
	sender, err := row.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	var requests []goldenRequest
	for _, r := range service.Requests() {
		requests = append(requests, recordedForm(t, r, cfg.Token))
	}
	return requests
}

// recordedForm writes a request as the sink wrote it, which also checked signatures.
func recordedForm(t *testing.T, r providertest.Request, token string) goldenRequest {
	form := goldenRequest{Method: r.Method, Path: r.Path, Query: r.Query, Headers: map[string]string{}}
	for name := range r.Header {
		switch name {
		case "Accept-Encoding", "Content-Length", "User-Agent":
		default:
			form.Headers[name] = r.Header.Get(name)
		}
	}
	if signature := r.Header.Get("X-Signature"); signature != "" {
		mac := hmac.New(sha256.New, []byte(token))
		mac.Write(r.Body)
		if signature == "sha256="+hex.EncodeToString(mac.Sum(nil)) {
			form.Headers["X-Signature-Valid"] = "true"
		}
	}
	switch contentType := r.Header.Get("Content-Type"); {
	case len(r.Body) == 0:
	case strings.HasPrefix(contentType, "application/json"):
		if err := json.Unmarshal(r.Body, &form.Body); err != nil {
			t.Fatal(err)
		}
	default:
		form.Body = recordedBody(t, contentType, r.Body)
	}
	anonymize(&form, r)
	return form
}

func readJSON(t *testing.T, file string, into any) {
	data, err := os.ReadFile(filepath.Join("testdata", "golden", file))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, into); err != nil {
		t.Fatal(err)
	}
}

func indent(v any) []byte {
	text, err := json.MarshalIndent(v, "", " ")
	if err != nil {
		return []byte(err.Error())
	}
	return text
}
