// Package httpx is the only place where outbound HTTP clients are made and where answers become errors.
package httpx

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"time"
)

const (
	dialTimeout         = 10 * time.Second
	keepAlive           = 30 * time.Second
	tlsHandshakeTimeout = 10 * time.Second
	idleConnTimeout     = 90 * time.Second
	maxIdleConns        = 10
	maxRedirects        = 5
	// pingAfter is how long an HTTP/2 connection may be silent before it is asked whether it is alive, pingTimeout how
	// long the answer may take. Both together are less than an attempt may take: the next one finds a new connection.
	pingAfter   = 5 * time.Second
	pingTimeout = 5 * time.Second
)

// Options say how a client reaches its service.
type Options struct {
	// Proxy is used for every request; nil means what the environment says.
	Proxy *url.URL
	// TLS is the client's TLS configuration; nil means the default.
	TLS *tls.Config
	// Egress says what must not be connected to; nil means nothing.
	Egress *Egress
	// MaxIdleConns is how many unused connections are kept for a host; 0 means 10.
	MaxIdleConns int
}

// NewClient returns a client with a connection pool of its own, which [http.Client.CloseIdleConnections] empties.
// It has no time-out of its own: the context of a request does that. It follows a redirect only where the request
// is repeated as it is (307, 308); any other would turn a notification into an empty GET that the far side
// answers with success. Nor does it follow one from https to http, or one to another host with a body, which may hold
// the credential, as those for PagerDuty and Sentry do. It does not tell the next server where it comes from, since
// that URL may be a secret, and no credentials go to another host.
func NewClient(o Options) *http.Client {
	proxy := environmentProxy
	if o.Proxy != nil {
		proxy = http.ProxyURL(o.Proxy)
	}
	idle := o.MaxIdleConns
	if idle == 0 {
		idle = maxIdleConns
	}
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               proxy,
			DialContext:         o.Egress.Dialer().DialContext,
			TLSClientConfig:     o.TLS,
			TLSHandshakeTimeout: tlsHandshakeTimeout,
			IdleConnTimeout:     idleConnTimeout,
			MaxIdleConns:        idle,
			MaxIdleConnsPerHost: idle,
			ForceAttemptHTTP2:   true,
			// Where a router has forgotten a connection without a word, the kernel would take a quarter of an hour to
			// give it up, and all attempts until then would be lost on it (golang/go#36026).
			HTTP2: &http.HTTP2Config{SendPingTimeout: pingAfter, PingTimeout: pingTimeout},
		},
		CheckRedirect: checkRedirect,
	}
}

// WithTransport returns a client that makes its requests by way of another transport, for who looks at them.
func WithTransport(client *http.Client, transport http.RoundTripper) *http.Client {
	watched := *client
	watched.Transport = transport
	return &watched
}

// WithContext returns a client all requests of which end with ctx, for libraries that make theirs without one.
func WithContext(ctx context.Context, client *http.Client) *http.Client {
	return WithTransport(client, bounded{ctx, client.Transport})
}

type bounded struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip implements [http.RoundTripper].
func (b bounded) RoundTrip(r *http.Request) (*http.Response, error) {
	return b.next.RoundTrip(r.WithContext(b.ctx))
}

// checkRedirect implements what NewClient says of redirects; an error has the redirect taken for the answer.
func checkRedirect(next *http.Request, via []*http.Request) error {
	first, last := via[0], via[len(via)-1]
	downgrade := last.URL.Scheme == "https" && next.URL.Scheme != "https"
	elsewhere := func(hop *http.Request) bool { return hop.URL.Host != first.URL.Host }
	leak := elsewhere(next) && first.ContentLength != 0
	if next.Method != first.Method || len(via) >= maxRedirects || downgrade || leak {
		return http.ErrUseLastResponse
	}
	next.Header.Del("Referer")
	if elsewhere(next) || slices.ContainsFunc(via, elsewhere) {
		maps.DeleteFunc(next.Header, func(name string, _ []string) bool { return !slices.Contains(publicHeaders(), name) })
	}
	return nil
}

// publicHeaders are those that may go to another host, of requests without a body. Which others are credentials, only their services know:
// net/http takes away those that it knows, which are not Private-Token and the like.
func publicHeaders() []string {
	return []string{"Accept", "User-Agent"}
}

// environmentProxy is [http.ProxyFromEnvironment] without its error, which quotes the variable with its password.
func environmentProxy(r *http.Request) (*url.URL, error) {
	proxy, err := http.ProxyFromEnvironment(r)
	if err != nil {
		return nil, errors.New("the proxy in the environment is not a valid URL")
	}
	return proxy, nil
}

// TLSConfig builds a TLS configuration from PEM. A CA replaces the system's; certificate and key come together or
// not at all. Errors name what is wrong without quoting it.
func TLSConfig(ca, cert, key []byte) (*tls.Config, error) {
	config := &tls.Config{MinVersion: tls.VersionTLS12}
	switch {
	case len(ca)+len(cert)+len(key) == 0:
		return nil, errors.New("neither a CA nor a certificate")
	case len(cert) > 0 && len(key) == 0:
		return nil, errors.New("a certificate without its key")
	case len(key) > 0 && len(cert) == 0:
		return nil, errors.New("a key without its certificate")
	case len(cert) > 0:
		if err := CheckPrivateKey(key); err != nil {
			return nil, err
		}
		// The public key of the certificate has to be that of the key.
		pair, err := tls.X509KeyPair(cert, key)
		if err != nil {
			return nil, fmt.Errorf("certificate and key do not make a pair: %w", err)
		}
		config.Certificates = []tls.Certificate{pair}
	}
	if len(ca) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(ca) {
			return nil, errors.New("the CA is not a PEM certificate")
		}
		config.RootCAs = pool
	}
	return config, nil
}
