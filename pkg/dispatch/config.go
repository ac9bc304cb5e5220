package dispatch

import (
	"errors"
	"fmt"
	"net/url"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// maxAddress is the longest address, in bytes, that a Secret may hold.
const maxAddress = 2048

// address is that of the Secret, also if it is blank, else that of the spec.
func address(p *v1beta3.Provider, auth map[string][]byte) (string, error) {
	raw, ok := auth[secret.KeyAddress]
	if !ok {
		return strings.TrimSpace(p.Spec.Address), nil
	}
	if len(raw) > maxAddress {
		return "", fmt.Errorf("spec.secretRef: key %q is longer than %d bytes", secret.KeyAddress, maxAddress)
	}
	return strings.TrimSpace(string(raw)), nil
}

// applyCredentials takes token, username and password of the Secret. A username without a password, or the other way
// round, does not count.
func applyCredentials(config *provider.Config, auth map[string][]byte) {
	config.Token = string(auth[secret.KeyToken])
	username, hasUsername := auth[secret.KeyUsername]
	password, hasPassword := auth[secret.KeyPassword]
	if hasUsername && hasPassword {
		config.Username, config.Password = string(username), string(password)
	}
}

// headers reads the YAML mapping of the Secret. The error does not quote it.
func headers(auth map[string][]byte) (map[string]string, error) {
	raw, ok := auth[secret.KeyHeaders]
	if !ok {
		return nil, nil
	}
	var parsed map[string]string
	if err := yaml.Unmarshal(raw, &parsed); err != nil {
		return nil, fmt.Errorf("key %q is not a YAML mapping of names to values", secret.KeyHeaders)
	}
	return parsed, nil
}

// proxyURL is that of spec.proxySecretRef, else of the key proxy of spec.secretRef, else of spec.proxy. The errors do
// not quote it, since it may hold a password.
func proxyURL(p *v1beta3.Provider, s secrets) (*url.URL, error) {
	if s.proxy != nil {
		return proxyOfSecret(s.proxy)
	}
	field, text := "spec.proxy", p.Spec.Proxy
	if raw, ok := s.auth[secret.KeyProxy]; ok {
		field, text = "spec.secretRef: key \"proxy\"", strings.TrimSpace(string(raw))
	}
	if text == "" {
		return nil, nil
	}
	return parseProxy(field, text)
}

func proxyOfSecret(data map[string][]byte) (*url.URL, error) {
	text := string(data[secret.KeyAddress])
	switch {
	case text == "":
		return nil, fmt.Errorf("spec.proxySecretRef: key %q is missing or empty", secret.KeyAddress)
	case len(text) > maxAddress:
		return nil, fmt.Errorf("spec.proxySecretRef: key %q is longer than %d bytes", secret.KeyAddress, maxAddress)
	}
	proxy, err := parseProxy("spec.proxySecretRef: key \"address\"", strings.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	if username := string(data[secret.KeyUsername]); username != "" {
		proxy.User = url.User(username)
		if password, ok := data[secret.KeyPassword]; ok {
			proxy.User = url.UserPassword(username, string(password))
		}
	}
	return proxy, nil
}

func parseProxy(field, text string) (*url.URL, error) {
	proxy, err := url.Parse(text)
	if err != nil || proxy.Host == "" {
		return nil, errors.New(field + " is not a URL")
	}
	switch proxy.Scheme {
	case "http", "https", "socks5", "socks5h":
		return proxy, nil
	default:
		return nil, errors.New(field + " has to start with http://, https://, socks5:// or socks5h://")
	}
}

// applyProxyLogin takes username and password for those of the proxy, if there is one that has none of its own. Only with
// headers does the service get them, too.
func applyProxyLogin(config *provider.Config, proxy *url.URL) {
	if proxy == nil || proxy.User != nil || config.Username == "" || config.Password == "" {
		return
	}
	proxy.User = url.UserPassword(config.Username, config.Password)
	if len(config.Headers) == 0 {
		config.Username, config.Password = "", ""
	}
}

// tlsMaterial is what a Secret holds of TLS; each key may have its older name.
func tlsMaterial(data map[string][]byte) (ca, cert, key []byte) {
	either := func(name, legacy string) []byte {
		if value, ok := data[name]; ok {
			return value
		}
		return data[legacy]
	}
	return either(secret.KeyCA, secret.KeyLegacyCA), either(secret.KeyCert, secret.KeyLegacyCert), either(secret.KeyKey, secret.KeyLegacyKey)
}

// secretValues lists what must not show in any error of a Provider.
func secretValues(p *v1beta3.Provider, config provider.Config, s secrets, proxy *url.URL) []string {
	values := append(config.Secrets(), p.Spec.Address, p.Spec.Proxy)
	values = append(values, string(s.proxy[secret.KeyAddress]), string(s.proxy[secret.KeyPassword]))
	if proxy != nil {
		values = append(values, proxy.String())
	}
	if proxy != nil && proxy.User != nil {
		// What a Proxy-Authorization header says of them, which the answer of a proxy may quote.
		password, _ := proxy.User.Password()
		values = append(values, httpx.BasicAuth(proxy.User.Username(), password))
	}
	return values
}
