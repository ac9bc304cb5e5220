// Package identity gets access tokens of clouds for Providers, as the ServiceAccount that a Provider names or as the
// controller itself, and keeps tokens until shortly before they expire. Nothing here is asked before a notification
// is being sent.
package identity

import (
	"context"
	"net/http"
	"os"
	"strings"
	"time"

	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/utils/lru"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Observer is told what becomes of tokens.
type Observer interface {
	// ObserveToken records that a Provider asked for a token, and whether it was kept.
	ObserveToken(p provider.Object, kept bool)
	// ObserveTokenRequest records how a request for a token ended.
	ObserveTokenRequest(ok bool)
	// ObserveTokenEviction records that a token was dropped to make room.
	ObserveTokenEviction()
}

// Options are what a Broker works with.
type Options struct {
	// Accounts gives ServiceAccounts and makes tokens of theirs.
	Accounts corev1client.ServiceAccountsGetter
	// DefaultAccount is the ServiceAccount of Providers that name none; empty means the controller itself.
	DefaultAccount string
	// MaxTokens is how many tokens are kept; 0 means none. MaxAge is for how long, at most.
	MaxTokens int
	MaxAge    time.Duration
	// Observer may be nil.
	Observer Observer
	// Endpoints are those of the clouds; empty ones are the public ones.
	Endpoints Endpoints
	// Getenv gives environment variables. Nil means os.Getenv.
	Getenv func(string) string
}

// Endpoints are the services that exchange tokens.
type Endpoints struct {
	// AzureMetadata is the instance metadata service of a virtual machine.
	AzureMetadata string
	// GoogleTokens is the Security Token Service, GoogleCredentials the IAM Service Account Credentials API.
	GoogleTokens, GoogleCredentials string
	// GoogleMetadata is the metadata server of a virtual machine.
	GoogleMetadata string
}

func (e Endpoints) withDefaults() Endpoints {
	for _, endpoint := range []struct {
		value  *string
		public string
	}{
		{&e.AzureMetadata, "http://169.254.169.254"},
		{&e.GoogleTokens, "https://sts.googleapis.com"},
		{&e.GoogleCredentials, "https://iamcredentials.googleapis.com"},
		{&e.GoogleMetadata, "http://metadata.google.internal"},
	} {
		if *endpoint.value == "" {
			*endpoint.value = endpoint.public
		}
	}
	return e
}

// Broker gets tokens for all Providers and keeps them.
type Broker struct {
	options Options
	cache   *cache
	// accounts are the ServiceAccounts that tokens were asked for; nil if no tokens are kept.
	accounts *lru.Cache
}

// New returns a Broker that keeps no tokens yet.
func New(o Options) *Broker {
	o.Endpoints = o.Endpoints.withDefaults()
	if o.Getenv == nil {
		o.Getenv = os.Getenv
	}
	if o.Observer == nil {
		o.Observer = nobody{}
	}
	b := &Broker{options: o, cache: newCache(o.MaxTokens, o.MaxAge, o.Observer)}
	if o.MaxTokens > 0 {
		b.accounts = lru.New(o.MaxTokens)
	}
	return b
}

// Len is how many tokens are kept.
func (b *Broker) Len() int { return b.cache.len() }

// For returns the identity of a Provider. The account is the ServiceAccount that it names in its own namespace, if it
// names one. The client leads to the clouds; route tells clients apart by where they lead, since a token got through
// one proxy is not to be had for a Provider with another.
func (b *Broker) For(p provider.Object, account string, client *http.Client, route string) provider.Identity {
	if account == "" {
		account = b.options.DefaultAccount
	}
	return &identity{broker: b, provider: p, account: account, client: client, route: route}
}

// The clouds, in keys.
const (
	cloudAzure  = "azure"
	cloudGoogle = "google"
)

// identity implements [provider.Identity] for one Provider.
type identity struct {
	broker   *Broker
	provider provider.Object
	// account is empty for the controller's own identity.
	account string
	client  *http.Client
	route   string
}

// Azure implements [provider.Identity].
func (i *identity) Azure(ctx context.Context, scope string) (string, error) {
	return i.token(ctx, func(ctx context.Context) (provider.Token, error) { return i.fetchAzure(ctx, scope) }, cloudAzure, scope)
}

// ForgetAzure implements [provider.Identity].
func (i *identity) ForgetAzure(scope string) { i.forget(cloudAzure, scope) }

// Google implements [provider.Identity].
func (i *identity) Google(ctx context.Context) (string, error) {
	return i.token(ctx, i.fetchGoogle, cloudGoogle)
}

// ForgetGoogle implements [provider.Identity].
func (i *identity) ForgetGoogle() { i.forget(cloudGoogle) }

// token returns a token of the ServiceAccount as it is now. The parts tell it from other tokens of the account.
func (i *identity) token(ctx context.Context, fetch func(context.Context) (provider.Token, error), parts ...string) (string, error) {
	revision, err := i.revision(ctx)
	if err != nil {
		return "", err
	}
	token, err := i.Cached(ctx, i.key(append(parts, revision)...), fetch)
	return token.Value, err
}

// forget drops a token of the ServiceAccount as it was when it was last looked at.
func (i *identity) forget(parts ...string) {
	last, _ := i.lastRead()
	i.broker.cache.forgetOld(i.key(append(parts, last.revision)...))
}

// Cached implements [provider.Identity].
func (i *identity) Cached(ctx context.Context, key string, fetch func(context.Context) (provider.Token, error)) (provider.Token, error) {
	return i.broker.cache.get(ctx, i.provider, key, fetch)
}

// Forget implements [provider.Identity].
func (i *identity) Forget(key, token string) { i.broker.cache.forget(key, token) }

// key is made of all that a cloud's token depends on.
func (i *identity) key(parts ...string) string {
	namespace := ""
	if i.account != "" {
		namespace = i.provider.Namespace
	}
	return strings.Join(append(parts, namespace, i.account, i.route), "\x00")
}

// nobody is the Observer of those who want none.
type nobody struct{}

func (nobody) ObserveToken(provider.Object, bool) {}
func (nobody) ObserveTokenRequest(bool)           {}
func (nobody) ObserveTokenEviction()              {}
