package app

import (
	"net/url"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/identity"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// maxTokenAge is the longest time that the flag can say.
const maxTokenAge = time.Hour

// newBroker makes what gets access tokens for Providers. Without a cache there is nothing to measure.
func (a *App) newBroker() {
	options := identity.Options{
		Accounts:       a.clients.core.CoreV1(),
		DefaultAccount: a.options.DefaultServiceAccount,
		MaxTokens:      a.options.TokenCacheMaxSize,
		MaxAge:         min(a.options.TokenCacheMaxDuration, maxTokenAge),
	}
	if a.options.TokenCacheMaxSize > 0 {
		a.tokens = a.metrics.Tokens(func() int { return a.broker.Len() })
		options.Observer = a.tokens
	}
	a.broker = identity.New(options)
	a.cloudClient = httpx.NewClient(httpx.Options{})
}

// identity is that of a Provider. Its own client is not for clouds: it may trust only the Provider's service.
func (a *App) identity(p *v1beta3.Provider, proxy *url.URL) provider.Identity {
	object := provider.Object{Namespace: p.Namespace, Name: p.Name, UID: string(p.UID)}
	if proxy == nil {
		return a.broker.For(object, p.Spec.ServiceAccountName, a.cloudClient, "")
	}
	return a.broker.For(object, p.Spec.ServiceAccountName, httpx.NewClient(httpx.Options{Proxy: proxy, Egress: a.egress}), proxy.String())
}
