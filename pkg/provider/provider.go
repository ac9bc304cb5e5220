// Package provider holds what all senders of notifications share: the one-method interface, the configuration they
// are built from, the notification they send and the errors that say what to do next. Each type of Provider has a
// folder of its own; registry is the table of them.
package provider

import (
	"cmp"
	"context"
	"crypto/tls"
	"encoding/base64"
	"net"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// Sender sends notifications to one service.
//
// Send makes one attempt within ctx and returns nil only if the service took the notification. Other errors than an
// [*Error] count as transient. A Sender never sleeps, retries, logs or knows of Kubernetes, changes nothing of the
// notification, and is safe for concurrent use. Its errors may quote the service's answer; secrets are masked by
// [Redact] around it.
type Sender interface {
	Send(ctx context.Context, n *Notification) error
}

// Object names an object that a notification came through.
type Object struct {
	Namespace, Name, UID string
}

// String is NAMESPACE/NAME.
func (o Object) String() string { return o.Namespace + "/" + o.Name }

// Notification is an event as one Alert sends it: its metadata merged, its prefixes removed.
type Notification struct {
	// Event is the notification's own copy.
	Event event.Event
	// Alert selected the event, Provider is where it goes.
	Alert, Provider Object
	// StatusID tells the statuses of a commit apart; only for types of FamilyCommitStatus.
	StatusID string
	// Suppressed is how many notifications were held back before it, which its metadata tell.
	Suppressed int
}

// SetMetadata adds an entry to the notification's own metadata.
func (n *Notification) SetMetadata(key, value string) {
	if n.Event.Metadata == nil {
		n.Event.Metadata = map[string]string{}
	}
	n.Event.Metadata[key] = value
}

// ObjectKey is the OrderingKey of types that keep the state of each object on the far side.
func (n *Notification) ObjectKey() string { return n.Event.InvolvedObject.String() }

// IsProgressing says whether all the notification reports is that work has begun. For types that keep a state, that is
// neither a failure nor a success.
func (n *Notification) IsProgressing() bool { return n.Event.Reason == "Progressing" }

// Config is what a Sender is built from. Values from the Secret have already overridden those of the spec.
type Config struct {
	// Type is the Provider's type.
	Type string
	// Provider is the object that the Sender is built for.
	Provider Object
	// Address of the service; its meaning depends on the type. Surrounding space is removed.
	Address string
	// Channel as in the spec.
	Channel string
	// Username of the Secret if there is a password too, else of the spec.
	Username string
	// Password of the Secret.
	Password string
	// Token of the Secret, byte for byte.
	Token string
	// Headers of the Secret: request headers or message attributes.
	Headers map[string]string
	// Secret is all data of the Secret, for keys that only one type reads.
	Secret map[string][]byte
	// Resolve has a success close what a failure opened, for types that do not do so anyway.
	Resolve bool
	// ServiceAccountName as in the spec: the Provider's own, not the controller's default.
	ServiceAccountName string
	// Client has the Provider's proxy and TLS configuration and keeps connections.
	Client *http.Client
	// TLS is that TLS configuration for types that are not HTTP. Nil means the default. It is shared: do not change it.
	TLS *tls.Config
	// Dial connects for types that are not HTTP. Like Client, it does not connect to what the operator denies; it knows
	// no proxy.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
	// States remembers what the service shows. Nil remembers nothing.
	States *States
	// Identity gets access tokens for types that need more than what the Secret holds.
	Identity Identity
	// Timeout of an attempt; the context given to Send ends then.
	Timeout time.Duration
}

// Secrets returns all values that errors must not show, for [NewRedactor]. Those of spec.proxy and
// spec.proxySecretRef are not among them.
func (c Config) Secrets() []string {
	secrets := []string{c.Address, c.Token, c.Password}
	secrets = append(secrets, pathParts(strings.TrimSpace(string(c.Secret["address"])))...)
	// Those of a proxy are in the Secret alone, see [Type.ProxyLogin].
	username, password := cmp.Or(c.Username, string(c.Secret["username"])), cmp.Or(c.Password, string(c.Secret["password"]))
	if password != "" {
		// What an Authorization header says of them (RFC 7617).
		secrets = append(secrets, base64.StdEncoding.EncodeToString([]byte(username+":"+password)))
	}
	for _, value := range c.Headers {
		secrets = append(secrets, value)
	}
	// What else the Secret may hold is no secret, and masking it would spoil the error.
	public := []string{"username", "ca.crt", "tls.crt", "caFile", "certFile"}
	for key, value := range c.Secret {
		if !slices.Contains(public, key) {
			secrets = append(secrets, string(value))
		}
	}
	return secrets
}

// Family decides which events a type of Provider gets.
type Family int

const (
	// FamilyOther gets all events but commit status updates.
	FamilyOther Family = iota
	// FamilyGeneric gets all events.
	FamilyGeneric
	// FamilyCommitStatus gets commit status updates, errors and events that name a commit.
	FamilyCommitStatus
	// FamilyChangeRequest gets events that name a change request.
	FamilyChangeRequest
)

// Type is a row of the table of Provider types.
type Type struct {
	// Name is the value of spec.type.
	Name string
	// New builds the Sender. Its error names the field to change and is permanent.
	New func(Config) (Sender, error)
	// Family decides which events the type gets.
	Family Family
	// OrderingKey names what a notification changes on the far side: a commit and context, an incident.
	// Notifications of a Provider with the same key are sent one at a time, in order of acceptance. Nil, and an
	// empty key, mean any order.
	OrderingKey func(*Notification) string
	// Skip says that there is nothing to send for a notification. Nil means that the type sends all.
	Skip func(*Notification) bool
	// SkipResolving says the same for Providers with [Config.Resolve].
	SkipResolving func(*Notification) bool
	// NeedsAddress says that without an address nothing can be sent.
	NeedsAddress bool
	// SecretTLS says that TLS material may also be in the Secret of spec.secretRef.
	SecretTLS bool
	// SecretChannel says that spec.channel is a credential.
	SecretChannel bool
	// ProxyLogin says that username and password of the Secret are those of the Provider's proxy, where there is one that
	// has none of its own. The service gets them too only if the Secret has headers.
	ProxyLogin bool
	// SecretKeys are the keys that the type reads from the Secret, besides address and proxy.
	SecretKeys []string
	// RequiredKeys are those without which nothing can be sent.
	RequiredKeys []string

	// What follows is for documentation, and in Markdown.

	// Title names the service.
	Title string
	// Sends says what it gets.
	Sends string
	// Address says what spec.address is, with its default; Channel says the same of spec.channel, and is empty where
	// that is not used.
	Address, Channel string
	// Limits says what is cut, and where.
	Limits string
	// Notes is what else there is to know.
	Notes string
}

// Skips says that there is nothing to send for a notification. Resolve is that of [Config].
func (t Type) Skips(n *Notification, resolve bool) bool {
	return t.Skip != nil && t.Skip(n) || resolve && t.SkipResolving != nil && t.SkipResolving(n)
}
