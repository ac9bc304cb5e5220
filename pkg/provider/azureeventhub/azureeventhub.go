// Package azureeventhub publishes events as JSON to an event hub of Azure, by its REST API.
//
// Sources: https://learn.microsoft.com/rest/api/eventhub/send-event,
// https://learn.microsoft.com/rest/api/eventhub/event-hubs-runtime-rest
package azureeventhub

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/stream"
)

const (
	// contentType is what the API wants to be told, whatever an event is.
	contentType = "application/atom+xml;type=entry;charset=utf-8"
	apiVersion  = "2014-01"
)

// Limits of an event in bytes, of which some are left for what the service adds. Which of them holds for a namespace
// only its owner knows.
//
// Source: https://learn.microsoft.com/azure/event-hubs/event-hubs-quotas
const (
	maxEvent = 1<<20 - reserve
	// maxBasicEvent is that of the tier Basic.
	maxBasicEvent = 256<<10 - reserve
	reserve       = 4 << 10
)

// authorization is what the header of that name says, with a name of what it is made of, for errors.
type authorization struct {
	header     func(context.Context) (string, error)
	credential string
	// forget has the next header be made of a new token; nil if there is no other.
	forget func()
	// secrets are those that the Provider's own do not contain as a whole.
	secrets []string
}

type sender struct {
	client *http.Client
	url    string
	authorization
}

// New returns a Sender of type azureeventhub. The address is a connection string with SharedAccessKey and EntityPath;
// otherwise it is the name of an event hub, and the channel is that of its namespace. Then the token of the Secret is a
// JWT, and without one the identity of the ServiceAccount or of the controller is used. The error names what to change.
func New(cfg provider.Config) (provider.Sender, error) {
	if cfg.Address == "" {
		return nil, httpx.AddressError("is empty: endpoint URL cannot be empty")
	}
	if err := checkConflicts(cfg); err != nil {
		return nil, err
	}
	var hub hub
	var auth authorization
	var err error
	if isConnectionString(cfg.Address) {
		hub, auth, err = readConnectionString(cfg.Address, time.Now)
	} else {
		hub, auth, err = named(cfg, os.Getenv(envAuthority))
	}
	if err != nil {
		return nil, err
	}
	return &sender{client: cfg.Client, url: hub.url() + "/messages?api-version=" + apiVersion, authorization: auth}, nil
}

// checkConflicts refuses credentials of which only one kind could be used.
func checkConflicts(cfg provider.Config) error {
	sas, token, account := isConnectionString(cfg.Address), cfg.Token != "", cfg.ServiceAccountName != ""
	var both string
	switch {
	case sas && account:
		both = "a connection string in the address and spec.serviceAccountName"
	case sas && token:
		both = "a connection string in the address and " + provider.SecretKey("token")
	case token && account:
		both = provider.SecretKey("token") + " and spec.serviceAccountName"
	default:
		return nil
	}
	return provider.Permanentf(provider.ReasonConfig, "invalid authentication options: there are %s; take one of them away", both)
}

// hub is an event hub in its namespace.
type hub struct{ host, name string }

func (h hub) url() string { return "https://" + h.host + "/" + url.PathEscape(h.name) }

// Send implements [provider.Sender]. An event over the limit is cut. One that is refused, and over the lower limit, is cut
// once more and sent again: the service does not say whether it was its length.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	body, err := stream.Encode(n.Event, maxEvent)
	if err != nil {
		return err
	}
	err = s.publish(ctx, body)
	if err == nil || len(body) <= maxBasicEvent || provider.Classify(err).Kind != provider.Permanent {
		return err
	}
	if body, err = stream.Encode(n.Event, maxBasicEvent); err != nil {
		return err
	}
	return s.publish(ctx, body)
}

func (s *sender) publish(ctx context.Context, body []byte) error {
	return provider.WithToken(ctx, s.header, s.forget, func(header string) error {
		_, err := httpx.Send(ctx, s.client, httpx.Request{
			URL: s.url, Header: http.Header{"Authorization": {header}, "Content-Type": {contentType}}, Body: body,
		})
		// The service may echo what it was sent.
		return provider.NewRedactor(slices.Concat(s.secrets, []string{header})...).Error(s.advise(err))
	})
}

// advise says what to change.
func (s *sender) advise(err error) error {
	var classified *provider.Error
	if !errors.As(err, &classified) {
		return err
	}
	switch classified.Reason {
	case provider.ReasonAuth:
		return provider.Permanentf(classified.Reason, "%s may not send to the event hub; it needs the claim Send, or the role Azure Event Hubs Data Sender: %w", s.credential, err)
	case provider.ReasonNotFound:
		return provider.Permanentf(classified.Reason, "there is no such event hub: see spec.address and spec.channel: %w", err)
	default:
		return err
	}
}

// isConnectionString is how Flux tells one from the name of an event hub.
func isConnectionString(address string) bool { return strings.Contains(address, "SharedAccessKey") }
