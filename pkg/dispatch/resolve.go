package dispatch

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// DefaultTimeout of an attempt, also for a Provider that says 0s.
const DefaultTimeout = 15 * time.Second

// Target is what notifications of a Provider are sent with.
type Target struct {
	Sender  provider.Sender
	Timeout time.Duration
}

// Resolver turns Providers and their Secrets into senders, once for each edit of either.
type Resolver struct {
	providers ProviderGetter
	secrets   secret.Getter
	types     TypeLookup
	options   ResolverOptions
	built     *expr.Cache[built]
}

// ResolverOptions change what Providers may use.
type ResolverOptions struct {
	// AllowServiceAccounts permits spec.serviceAccountName.
	AllowServiceAccounts bool
	// Identity gives the identity of a Provider, whose requests go through the proxy if it has one.
	Identity func(p *v1beta3.Provider, proxy *url.URL) provider.Identity
	// States remembers what services show.
	States *provider.States
	// Egress says where Providers must not be; nil means nowhere.
	Egress *httpx.Egress
	// MaxConnections is how many unused connections are kept for a Provider.
	MaxConnections int
}

type built struct {
	target *Target
	err    error
}

// NewResolver returns a Resolver.
func NewResolver(providers ProviderGetter, secrets secret.Getter, types TypeLookup, o ResolverOptions) *Resolver {
	return &Resolver{providers: providers, secrets: secrets, types: types, options: o, built: expr.NewCache[built]()}
}

// Resolve returns the target of a Provider as it is now. The error says what to change, or is transient, or says that
// there is nothing to send any more, since the Provider is suspended.
func (r *Resolver) Resolve(object provider.Object) (*Target, error) {
	p, err := r.providers.Provider(object.Namespace, object.Name)
	if apierrors.IsNotFound(err) || (err == nil && string(p.UID) != object.UID) {
		return nil, &provider.Error{Kind: provider.Permanent, Reason: ReasonProviderDeleted, Err: providerGone(object)}
	}
	if err != nil {
		return nil, err
	}
	if p.Spec.Suspend {
		return nil, &provider.Error{Kind: provider.Superseded, Reason: SkippedSuspended, Err: fmt.Errorf("Provider '%s' is suspended", object)}
	}
	return r.ResolveProvider(p)
}

// ResolveProvider is [Resolver.Resolve] for a Provider at hand.
func (r *Resolver) ResolveProvider(p *v1beta3.Provider) (*Target, error) {
	material, versions, err := r.readSecrets(p)
	if err != nil {
		return nil, err
	}
	b := r.built.Get(p, versions, func() built {
		target, err := r.build(p, material)
		return built{target, err}
	})
	return b.target, b.err
}

// Drop forgets a Provider that is gone.
func (r *Resolver) Drop(uid types.UID) { r.built.Drop(uid) }

// secrets that a Provider refers to; nil where it does not.
type secrets struct{ auth, proxy, cert map[string][]byte }

// readSecrets gets the Secrets of a Provider from the cache, and a text that tells what else than the
// generation the sender depends on.
func (r *Resolver) readSecrets(p *v1beta3.Provider) (secrets, string, error) {
	var found secrets
	var versions strings.Builder
	for _, ref := range []struct {
		field string
		ref   *v1beta3.LocalObjectReference
		data  *map[string][]byte
	}{
		{"spec.secretRef", p.Spec.SecretRef, &found.auth},
		{"spec.proxySecretRef", p.Spec.ProxySecretRef, &found.proxy},
		{"spec.certSecretRef", p.Spec.CertSecretRef, &found.cert},
	} {
		if ref.ref == nil {
			continue
		}
		s, err := r.secrets.Get(p.Namespace, ref.ref.Name)
		switch {
		case errors.Is(err, secret.ErrNotFound):
			return found, "", provider.Permanentf(provider.ReasonSecret, "Provider '%s/%s': %s: %w", p.Namespace, p.Name, ref.field, err)
		case err != nil:
			return found, "", provider.Transientf(provider.ReasonSecret, "Provider '%s/%s': %s: %w", p.Namespace, p.Name, ref.field, err)
		}
		*ref.data = s.Data
		if *ref.data == nil {
			*ref.data = map[string][]byte{}
		}
		versions.WriteString(ref.ref.Name + "=" + s.ResourceVersion + ";")
	}
	// It changes what is built, but not the generation.
	versions.WriteString("resolve=" + p.Annotations[notification.ResolveAnnotation])
	return found, versions.String(), nil
}

// build makes the sender of a Provider. Its errors are permanent: only an edit helps.
func (r *Resolver) build(p *v1beta3.Provider, s secrets) (*Target, error) {
	config, redactor, err := r.configure(p, s)
	if err != nil {
		return nil, provider.Permanentf(provider.ReasonConfig, "Provider '%s/%s': %w", p.Namespace, p.Name, err)
	}
	row, ok := r.types(p.Spec.Type)
	if !ok {
		return nil, provider.Permanentf(provider.ReasonConfig, "Provider '%s/%s': spec.type %q is not supported", p.Namespace, p.Name, p.Spec.Type)
	}
	sender, err := row.New(config)
	if err != nil {
		return nil, provider.Permanentf(provider.ReasonConfig, "Provider '%s/%s': %s", p.Namespace, p.Name, redactor.Text(err.Error()))
	}
	return &Target{Sender: provider.Redact(sender, redactor), Timeout: config.Timeout}, nil
}

// configure combines the spec and the Secrets, which take precedence.
func (r *Resolver) configure(p *v1beta3.Provider, s secrets) (provider.Config, *provider.Redactor, error) {
	row, _ := r.types(p.Spec.Type)
	config := provider.Config{
		Type:     p.Spec.Type,
		Provider: providerObject(p),
		Channel:  p.Spec.Channel,
		Username: p.Spec.Username,
		Secret:   s.auth,
		Resolve:  p.Annotations[notification.ResolveAnnotation] == notification.ResolveEnabled,
		Timeout:  DefaultTimeout,

		ServiceAccountName: p.Spec.ServiceAccountName,
	}
	if p.Spec.Timeout != nil && p.Spec.Timeout.Duration > 0 {
		config.Timeout = p.Spec.Timeout.Duration
	}
	if p.Spec.ServiceAccountName != "" && !r.options.AllowServiceAccounts {
		return config, nil, errors.New("spec.serviceAccountName needs the feature gate ObjectLevelWorkloadIdentity")
	}
	var err error
	if config.Address, err = address(p, s.auth); err != nil {
		return config, nil, err
	}
	config.States = r.options.States.For(config.Provider, config.Address)
	if p.Spec.CommitStatusExpr != "" {
		// The default tells Providers apart; this one may be what another Provider, or another cluster, writes to.
		config.States = config.States.Shared()
	}
	applyCredentials(&config, s.auth)
	if config.Headers, err = headers(s.auth); err != nil {
		return config, nil, fmt.Errorf("spec.secretRef: %w", err)
	}
	proxy, err := proxyURL(p, s)
	if err != nil {
		return config, nil, err
	}
	if row.ProxyLogin {
		applyProxyLogin(&config, proxy)
	}
	tlsConfig, err := tlsConfig(row, s)
	if err != nil {
		return config, nil, err
	}
	if r.options.Identity != nil {
		config.Identity = r.options.Identity(p, proxy)
	}
	config.TLS = tlsConfig
	config.Dial = r.options.Egress.Dialer().DialContext
	config.Client = httpx.NewClient(httpx.Options{Proxy: proxy, TLS: tlsConfig, Egress: r.options.Egress, MaxIdleConns: r.options.MaxConnections})
	redactor := provider.NewRedactor(secretValues(p, config, s, proxy)...)
	return config, redactor, nil
}

func tlsConfig(row provider.Type, s secrets) (*tls.Config, error) {
	field, data := "spec.certSecretRef", s.cert
	if data == nil && row.SecretTLS {
		field, data = "spec.secretRef", s.auth
	}
	ca, cert, key := tlsMaterial(data)
	if data == nil || (s.cert == nil && len(ca)+len(cert)+len(key) == 0) {
		return nil, nil
	}
	config, err := httpx.TLSConfig(ca, cert, key)
	if err != nil {
		return nil, fmt.Errorf("%s: keys %s, %s, %s: %w", field, secret.KeyCA, secret.KeyCert, secret.KeyKey, err)
	}
	return config, nil
}
