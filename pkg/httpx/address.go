package httpx

import (
	"net/url"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// CheckURL returns a permanent error unless address is an absolute URI, as [url.ParseRequestURI] takes it, with a
// scheme that HTTP clients know. It does not quote the address, which may be a secret.
func CheckURL(address string) error {
	u, err := url.ParseRequestURI(address)
	switch {
	case address == "":
		return provider.Permanentf(provider.ReasonConfig, "spec.address (or key \"address\" of the Secret in spec.secretRef) is empty")
	case err != nil:
		return provider.Permanentf(provider.ReasonConfig, "spec.address (or key \"address\" of the Secret in spec.secretRef) is not an absolute URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return provider.Permanentf(provider.ReasonConfig, "spec.address (or key \"address\" of the Secret in spec.secretRef) has to start with http:// or https://")
	case u.Host == "":
		return provider.Permanentf(provider.ReasonConfig, "spec.address (or key \"address\" of the Secret in spec.secretRef) has no host")
	}
	return nil
}
