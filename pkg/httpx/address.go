package httpx

import (
	"net/url"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// CheckURL returns a permanent error unless address is an absolute URI, as [url.ParseRequestURI] takes it, with a
// scheme that HTTP clients know. It does not quote the address, which may be a secret.
func CheckURL(address string) error {
	_, err := ParseURL(address)
	return err
}

// ParseURL is [CheckURL] for types that use only a part of the address, or add to it.
func ParseURL(address string) (*url.URL, error) {
	u, err := url.ParseRequestURI(address)
	switch {
	case address == "":
		return nil, AddressError("is empty")
	case err != nil:
		return nil, AddressError("is not an absolute URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return nil, AddressError("has to start with http:// or https://")
	case u.Host == "":
		return nil, AddressError("has no host")
	}
	return u, nil
}

// AddressError is the permanent error of an address, which it does not quote, with a problem.
func AddressError(problem string) *provider.Error {
	return provider.Permanentf(provider.ReasonConfig, "spec.address (or key \"address\" of the Secret in spec.secretRef) %s", problem)
}
