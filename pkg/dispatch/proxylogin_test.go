package dispatch

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/registry"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// The login of the tests is not the same in a URL.
const (
	loginUser     = "user"
	loginPassword = "planted @password;"
)

// sendOtel sends to a collector, with a proxy in between if the Secrets have one.
func sendOtel(t *testing.T, secrets secretCache, address string) error {
	t.Helper()
	p := testProvider(withSecret, func(p *v1beta3.Provider) { p.Spec.Type, p.Spec.Address = "otel", address })
	if secrets["proxy"] != nil {
		withProxy(p)
	}
	target, err := NewResolver(providers{"provider": p}, secrets, registry.New().Lookup, ResolverOptions{}).Resolve(providerObject(p))
	if err != nil {
		t.Fatal(err)
	}
	return target.Sender.Send(t.Context(), newNotification("provider", 1))
}

// TestProxyLogin checks who gets the username and the password of the Secret.
func TestProxyLogin(t *testing.T) {
	const collector = "http://collector.invalid/v1/traces"
	login, own := httpx.BasicAuth(loginUser, loginPassword), httpx.BasicAuth("own", "word")
	var got http.Header
	service := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer service.Close()
	ownURL := strings.Replace(service.URL, "://", "://own:word@", 1)
	// with is a Secret that has the login and these entries.
	with := func(entries ...string) *secret.Secret {
		return data(append(entries, "username", loginUser, "password", loginPassword)...)
	}
	for _, test := range []struct {
		name    string
		secrets secretCache
		address string
		// proxy and service are the headers that these get.
		proxy, service string
	}{
		{"proxy of a Secret", secretCache{"auth": with(), "proxy": data("address", service.URL)}, collector, login, ""},
		{"proxy in the Secret", secretCache{"auth": with("proxy", service.URL)}, collector, login, ""},
		{"headers", secretCache{"auth": with("proxy", service.URL, "headers", "X-Tenant: a")}, collector, login, login},
		{"no headers among them", secretCache{"auth": with("proxy", service.URL, "headers", "{}")}, collector, login, ""},
		{"token", secretCache{"auth": with("proxy", service.URL, "token", "t")}, collector, login, "Bearer t"},
		{"headers and token", secretCache{"auth": with("proxy", service.URL, "token", "t", "headers", "X-Tenant: a")}, collector, login, httpx.BasicAuth(loginUser, "t")},
		{"password alone", secretCache{"auth": data("proxy", service.URL, "password", loginPassword, "token", "t")}, collector, "", "Bearer t"},
		{"proxy of a Secret with its own", secretCache{"auth": with(), "proxy": data("address", service.URL, "username", "own", "password", "word")}, collector, own, login},
		{"proxy with its own", secretCache{"auth": with("proxy", ownURL)}, collector, own, login},
		{"no proxy", secretCache{"auth": with()}, service.URL, "", login},
	} {
		t.Run(test.name, func(t *testing.T) {
			got = nil
			if err := sendOtel(t, test.secrets, test.address); err != nil {
				t.Fatal(err)
			}
			if proxy, service := got.Get("Proxy-Authorization"), got.Get("Authorization"); proxy != test.proxy || service != test.service {
				t.Errorf("the proxy gets %q, want %q; the service gets %q, want %q", proxy, test.proxy, service, test.service)
			}
		})
	}
}

// TestProxyLoginOfOtherTypes checks that the service of another type gets what its Secret holds, and no proxy does.
func TestProxyLoginOfOtherTypes(t *testing.T) {
	var got http.Header
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { got = r.Header }))
	defer proxy.Close()
	p := testProvider(withSecret)
	r, configs := resolving(p, secretCache{"auth": data("proxy", proxy.URL, "username", loginUser, "password", loginPassword)}, ResolverOptions{})
	if _, err := r.Resolve(providerObject(p)); err != nil {
		t.Fatal(err)
	}
	config := (*configs)[0]
	answer, err := config.Client.Get("http://service.invalid")
	if err != nil {
		t.Fatal(err)
	}
	_ = answer.Body.Close()
	if got.Get("Proxy-Authorization") != "" || config.Username != loginUser || config.Password != loginPassword {
		t.Errorf("the proxy gets %q, the service %q with %q", got.Get("Proxy-Authorization"), config.Username, config.Password)
	}
}

// TestProxyLoginIsMasked has a proxy quote the login that it was called with, in all its forms.
func TestProxyLoginIsMasked(t *testing.T) {
	for _, secrets := range []func(proxy string) secretCache{
		func(proxy string) secretCache {
			return secretCache{"auth": data("proxy", proxy, "username", loginUser, "password", loginPassword)}
		},
		func(proxy string) secretCache {
			return secretCache{"auth": data(), "proxy": data("address", proxy, "username", loginUser, "password", loginPassword)}
		},
	} {
		userinfo := url.UserPassword(loginUser, loginPassword).String()
		_, basic, _ := strings.Cut(httpx.BasicAuth(loginUser, loginPassword), " ")
		for _, form := range []string{loginPassword, userinfo, basic} {
			proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if r.Header.Get("Proxy-Authorization") != "Basic "+basic {
					t.Errorf("Proxy-Authorization is %q", r.Header.Get("Proxy-Authorization"))
				}
				w.WriteHeader(http.StatusForbidden)
				_, _ = w.Write([]byte("refused: " + form))
			}))
			err := sendOtel(t, secrets(proxy.URL), "http://collector.invalid/v1/traces")
			proxy.Close()
			if err == nil || strings.Contains(err.Error(), form) || !strings.Contains(err.Error(), "refused: "+provider.Mask) {
				t.Errorf("%s is not masked: %v", form, err)
			}
		}
	}
}
