// Package googlepubsub publishes events as JSON to a topic of Google Cloud Pub/Sub, by its REST API.
//
// Source: https://cloud.google.com/pubsub/docs/reference/rest/v1/projects.topics/publish
package googlepubsub

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/stream"
)

const (
	// apiURL is where all projects are.
	apiURL = "https://pubsub.googleapis.com"
	// emulatorVariable is the environment variable with the HOST:PORT of an emulator, which takes their place and asks for no
	// credentials.
	//
	// Source: https://cloud.google.com/pubsub/docs/emulator
	emulatorVariable = "PUBSUB_EMULATOR_HOST"
)

// Limits of the service.
//
// Source: https://cloud.google.com/pubsub/quotas#resource_limits
const (
	maxRequest        = 10_000_000
	maxAttributes     = 100
	maxAttributeName  = 256
	maxAttributeValue = 1024
)

// maxData leaves room in a request for as many attributes as there may be, escaped, and for data being base64, which takes
// 4 bytes for 3.
const maxData = (maxRequest - 1_000_000) / 4 * 3

type sender struct {
	client     *http.Client
	url        string
	attributes map[string]string
	// authorization is empty where none is asked for.
	authorization
}

// New returns a Sender of type googlepubsub. The address is the ID of a project, the channel that of a topic, or all of its
// name: projects/PROJECT/topics/TOPIC. The headers of the Secret are the message's attributes. Without a token, which is
// the JSON key of a service account, the identity of the ServiceAccount or of the controller is used. The error names
// what to change.
func New(cfg provider.Config) (provider.Sender, error) {
	if host := os.Getenv(emulatorVariable); host != "" {
		return newSender(cfg, "http://"+host, authorization{})
	}
	return newAuthorized(cfg, apiURL)
}

// newAuthorized lets a test say where the projects are.
func newAuthorized(cfg provider.Config, apiURL string) (provider.Sender, error) {
	auth, err := authorize(cfg)
	if err != nil {
		return nil, err
	}
	return newSender(cfg, apiURL, auth)
}

func newSender(cfg provider.Config, apiURL string, auth authorization) (provider.Sender, error) {
	topic, err := topicPath(cfg.Address, cfg.Channel)
	if err != nil {
		return nil, err
	}
	if err := checkAttributes(cfg.Headers); err != nil {
		return nil, err
	}
	return &sender{client: cfg.Client, url: apiURL + "/v1/" + topic + ":publish", attributes: cfg.Headers, authorization: auth}, nil
}

// topicPath returns the name of a topic as part of an URL.
func topicPath(project, topic string) (string, error) {
	switch {
	case project == "":
		return "", httpx.AddressError("is empty: GCP project ID cannot be empty")
	case topic == "":
		return "", provider.Permanentf(provider.ReasonConfig, "spec.channel is empty: GCP Pub/Sub topic ID cannot be empty")
	case !strings.Contains(topic, "/"):
		return "projects/" + url.PathEscape(project) + "/topics/" + url.PathEscape(topic), nil
	}
	parts := strings.Split(topic, "/")
	if len(parts) != 4 || parts[0] != "projects" || parts[2] != "topics" || parts[1] == "" || parts[3] == "" {
		return "", provider.Permanentf(provider.ReasonConfig, "spec.channel is neither the ID of a topic nor projects/PROJECT/topics/TOPIC")
	}
	return "projects/" + url.PathEscape(parts[1]) + "/topics/" + url.PathEscape(parts[3]), nil
}

// checkAttributes refuses what the service would. Attributes are not cut: subscriptions filter by them.
func checkAttributes(attributes map[string]string) error {
	field := provider.SecretKey("headers")
	if len(attributes) > maxAttributes {
		return provider.Permanentf(provider.ReasonSecret, "%s has %d entries; a message takes %d attributes", field, len(attributes), maxAttributes)
	}
	for name, value := range attributes {
		if name == "" || len(name) > maxAttributeName || len(value) > maxAttributeValue {
			return provider.Permanentf(provider.ReasonSecret, "%s: the name of an attribute has 1 to %d bytes, its value %d at most",
				field, maxAttributeName, maxAttributeValue)
		}
	}
	return nil
}

type request struct {
	Messages []message `json:"messages"`
}

type message struct {
	// Data becomes base64.
	Data       []byte            `json:"data"`
	Attributes map[string]string `json:"attributes,omitempty"`
}

// Send implements [provider.Sender]. An event over the limit is cut.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	data, err := stream.Encode(n.Event, maxData)
	if err != nil {
		return err
	}
	body, err := json.Marshal(request{[]message{{data, s.attributes}}})
	if err != nil {
		return provider.Permanentf(provider.ReasonInvalid, "encode request: %w", err)
	}
	if s.token == nil {
		return s.publish(ctx, nil, body)
	}
	return provider.WithToken(ctx, s.token, s.forget, func(token string) error {
		// The service may echo the token, which is none of the Provider's own secrets.
		return provider.NewRedactor(token).Error(s.publish(ctx, http.Header{"Authorization": {"Bearer " + token}}, body))
	})
}

func (s *sender) publish(ctx context.Context, header http.Header, body []byte) error {
	answer, err := httpx.Send(ctx, s.client, httpx.Request{URL: s.url, Header: header, Body: body})
	return s.advise(answer, err)
}

// advise says what to change. The answer is nil if there is none.
func (s *sender) advise(answer *httpx.Answer, err error) error {
	if err == nil || answer == nil {
		return err
	}
	if passes(answer.Body) {
		return provider.Transientf(provider.ReasonServerError, "%w", err)
	}
	classified := provider.Classify(err)
	switch classified.Reason {
	case provider.ReasonAuth:
		return provider.Permanentf(classified.Reason, "%s may not publish to the topic in spec.channel; it needs the role roles/pubsub.publisher: %w", s.credential, err)
	case provider.ReasonNotFound:
		return provider.Permanentf(classified.Reason, "there is no such topic in spec.channel of the project in spec.address; it has to exist: %w", err)
	default:
		return err
	}
}

// passes says whether an error is one that passes by itself though its status does not tell.
//
// Source: https://cloud.google.com/pubsub/docs/reference/error-codes
func passes(answer []byte) bool {
	var said struct {
		Error struct {
			Status string `json:"status"`
		} `json:"error"`
	}
	if json.Unmarshal(answer, &said) != nil {
		return false
	}
	return said.Error.Status == "ABORTED" || said.Error.Status == "CANCELLED"
}
