// Package nats publishes events as JSON to a subject of NATS.
//
// The connection is not HTTP: it takes the Provider's TLS configuration, but goes through no proxy.
//
// Sources: https://docs.nats.io/reference/reference-protocols/nats-protocol,
// https://docs.nats.io/using-nats/developer/connecting
package nats

import (
	"context"
	"crypto/tls"
	"net/url"
	"strings"
	"sync"
	"time"
	"unicode"

	"github.com/nats-io/nats.go"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/stream"
)

const (
	// clientName is how servers list the connection.
	clientName = "NATS Provider Publisher"
	// idleTimeout is how long an unused connection is kept, as with HTTP.
	idleTimeout = 90 * time.Second
	// maxAttempt is for attempts without a deadline, which the library does not take.
	maxAttempt = 10 * time.Minute
)

type sender struct {
	subject string
	options nats.Options
	idle    time.Duration
	// dialContext connects to what the operator allows.
	dialContext dialFunc
	// dialing holds a value while someone makes sure that there is a connection; waiting for it can be given up.
	dialing chan struct{}

	mu sync.Mutex
	// conn is nil while there is none.
	conn *connection
	// attempts is how many are under way, timer closes the connection when there have been none for a while.
	attempts int
	timer    *time.Timer
}

// New returns a Sender of type nats. The address is one server or several, separated by commas: nats://, tls://, ws://
// and wss://, or HOST with or without a port. TLS is used where the address, the Provider's TLS configuration or the
// server wants it. The channel is the subject. The error names what to change: the address, the channel or the
// credentials. Nothing is connected yet.
func New(cfg provider.Config) (provider.Sender, error) {
	servers, err := parseServers(cfg.Address)
	if err != nil {
		return nil, err
	}
	if err := checkSubject(cfg.Channel); err != nil {
		return nil, err
	}
	options := newOptions(servers, cfg.TLS)
	secrets, err := authenticate(cfg, &options)
	if err != nil {
		return nil, err
	}
	s := &sender{subject: cfg.Channel, options: options, idle: idleTimeout, dialContext: cfg.Dial, dialing: make(chan struct{}, 1)}
	return provider.Redact(s, provider.NewRedactor(append(secrets, servers...)...)), nil
}

func newOptions(servers []string, tlsConfig *tls.Config) nats.Options {
	options := nats.GetDefaultOptions()
	options.Servers = servers
	options.Name = clientName
	// The next attempt connects anew; the library would keep what it could not send, and say that it was sent.
	options.AllowReconnect = false
	// The address says where to go, and not one of the servers there.
	options.IgnoreDiscoveredServers = true
	options.SkipHostLookup = true
	// Who names a CA or has a certificate wants TLS, also where nobody but an attacker says that the server has none.
	options.Secure, options.TLSConfig = tlsConfig != nil, tlsConfig
	// The default writes to standard error. Attempts get to know by themselves.
	options.AsyncErrorCB = func(*nats.Conn, *nats.Subscription, error) {}
	return options
}

// parseServers returns the URLs of the servers in an address.
func parseServers(address string) ([]string, error) {
	var servers []string
	webSockets := 0
	for server := range strings.SplitSeq(address, ",") {
		server = strings.TrimSpace(server)
		if server == "" {
			continue
		}
		if !strings.Contains(server, "://") {
			server = "nats://" + server
		}
		u, err := url.Parse(server)
		if err != nil || u.Hostname() == "" {
			return nil, httpx.AddressError("has a server that is not a URL such as nats://HOST:4222")
		}
		if u.Scheme == "ws" || u.Scheme == "wss" {
			webSockets++
		}
		servers = append(servers, server)
	}
	switch {
	case len(servers) == 0:
		return nil, httpx.AddressError("is empty: NATS server (address) cannot be empty")
	case webSockets != 0 && webSockets != len(servers):
		return nil, httpx.AddressError("mixes servers with web sockets (ws://, wss://) and without")
	}
	return servers, nil
}

// checkSubject keeps what would end the subject within a line of the protocol out of it.
func checkSubject(subject string) error {
	if subject == "" {
		return provider.Permanentf(provider.ReasonConfig, "spec.channel is empty: NATS subject (channel) cannot be empty")
	}
	if strings.ContainsFunc(subject, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) }) {
		return provider.Permanentf(provider.ReasonConfig, "spec.channel has a space or a line break, which no NATS subject has")
	}
	return nil
}

// Send implements [provider.Sender]. The server has taken what it does not complain about before it answers the ping that
// follows. An event over the server's limit (max_payload) is cut.
func (s *sender) Send(ctx context.Context, n *provider.Notification) error {
	s.begin()
	defer s.end()
	bounded, cancel := context.WithTimeout(ctx, maxAttempt)
	defer cancel()
	conn, err := s.connect(bounded)
	if err != nil {
		return classify(ctx, err)
	}
	body, err := stream.Encode(n.Event, int(conn.MaxPayload()))
	if err != nil {
		return err
	}
	if err := conn.publish(bounded, s.subject, body); err != nil {
		// The library remembers errors and would report them of later events too.
		s.drop(conn)
		return classify(ctx, err)
	}
	return nil
}
