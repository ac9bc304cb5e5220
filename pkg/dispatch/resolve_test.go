package dispatch

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// secretCache is a cache of Secrets by name.
type secretCache map[string]*secret.Secret

func (s secretCache) Get(_, name string) (*secret.Secret, error) {
	found, ok := s[name]
	switch {
	case !ok:
		return nil, fmt.Errorf("Secret 'apps/%s': %w", name, secret.ErrNotFound)
	case found == nil:
		return nil, fmt.Errorf("Secret 'apps/%s': %w", name, secret.ErrNotLoaded)
	}
	return found, nil
}

func data(entries ...string) *secret.Secret {
	s := &secret.Secret{ResourceVersion: "1", Data: map[string][]byte{}}
	for i := 0; i < len(entries); i += 2 {
		s.Data[entries[i]] = []byte(entries[i+1])
	}
	return s
}

// resolving returns a resolver whose one type keeps the configurations that senders are built from.
func resolving(p *v1beta3.Provider, secrets secretCache, o ResolverOptions) (*Resolver, *[]provider.Config) {
	var configs []provider.Config
	types := func(name string) (provider.Type, bool) {
		return provider.Type{Name: name, New: func(c provider.Config) (provider.Sender, error) {
			configs = append(configs, c)
			return senderFunc(func(context.Context, *provider.Notification) error {
				return errors.New("could not reach " + c.Address + " with " + c.Token)
			}), nil
		}}, name == "test"
	}
	return NewResolver(providers{"provider": p}, secrets, types, o), &configs
}

func withSecret(p *v1beta3.Provider) { p.Spec.SecretRef = &v1beta3.LocalObjectReference{Name: "auth"} }
func withProxy(p *v1beta3.Provider) {
	p.Spec.ProxySecretRef = &v1beta3.LocalObjectReference{Name: "proxy"}
}
func withCert(p *v1beta3.Provider) {
	p.Spec.CertSecretRef = &v1beta3.LocalObjectReference{Name: "cert"}
}

func TestResolveConfiguration(t *testing.T) {
	tests := []struct {
		name    string
		mod     func(*v1beta3.Provider)
		secrets secretCache
		check   func(provider.Config) bool
	}{
		{"spec alone", func(p *v1beta3.Provider) { p.Spec.Channel, p.Spec.Username = "c", "u" }, nil, func(c provider.Config) bool {
			return c.Address == "https://example.com/hooks/T000" && c.Channel == "c" && c.Username == "u" && c.Timeout == 15*time.Second
		}},
		{"address of the Secret", withSecret, secretCache{"auth": data("address", " https://other/x \n")}, func(c provider.Config) bool { return c.Address == "https://other/x" }},
		{"a blank address of the Secret counts", withSecret, secretCache{"auth": data("address", " ")}, func(c provider.Config) bool { return c.Address == "" }},
		{"an address of 2048 bytes", withSecret, secretCache{"auth": data("address", strings.Repeat("a", 2048))}, func(c provider.Config) bool { return len(c.Address) == 2048 }},
		{"token byte for byte", withSecret, secretCache{"auth": data("token", "abc\n")}, func(c provider.Config) bool { return c.Token == "abc\n" }},
		{"username with password", withSecret, secretCache{"auth": data("username", "u", "password", "p")}, func(c provider.Config) bool { return c.Username == "u" && c.Password == "p" }},
		{"username alone does not count", withSecret, secretCache{"auth": data("username", "u", "token", "t")}, func(c provider.Config) bool {
			return c.Username == "" && c.Password == "" && c.Token == "t"
		}},
		{"headers with scalars", withSecret, secretCache{"auth": data("headers", "X-A: one\nX-B: 2\nX-C: true")}, func(c provider.Config) bool {
			return c.Headers["X-A"] == "one" && c.Headers["X-B"] == "2" && c.Headers["X-C"] == "true"
		}},
		{"a proxy that resolves names", withSecret, secretCache{"auth": data("proxy", "socks5h://proxy:1080")}, func(c provider.Config) bool { return c.Client != nil }},
		{"what it wrote is there", func(*v1beta3.Provider) {}, nil, func(c provider.Config) bool { return c.States.Trusted(provider.State{Known: true}) }},
		{"others may write with the same expression", func(p *v1beta3.Provider) { p.Spec.CommitStatusExpr = "'ci'" }, nil, func(c provider.Config) bool {
			c.States.Put("commit", provider.State{Known: true, ETag: "e"})
			return !c.States.Trusted(c.States.Get("commit")) && c.States.Get("commit").ETag == "e"
		}},
		{"timeout", func(p *v1beta3.Provider) { p.Spec.Timeout = &metav1.Duration{Duration: time.Second} }, nil, func(c provider.Config) bool { return c.Timeout == time.Second }},
		{"no timeout is the default", func(p *v1beta3.Provider) { p.Spec.Timeout = &metav1.Duration{} }, nil, func(c provider.Config) bool { return c.Timeout == DefaultTimeout }},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := testProvider(tt.mod)
			r, configs := resolving(p, tt.secrets, ResolverOptions{States: provider.NewStates(10, true)})
			if _, err := r.Resolve(providerObject(p)); err != nil {
				t.Fatal(err)
			}
			if !tt.check((*configs)[0]) {
				t.Errorf("configuration %+v", (*configs)[0])
			}
		})
	}
}

func TestResolveErrorsNameTheField(t *testing.T) {
	const planted = "planted-secret-value"
	tests := []struct {
		name    string
		mods    []func(*v1beta3.Provider)
		secrets secretCache
		want    string
		kind    provider.Kind
	}{
		{"missing Secret", []func(*v1beta3.Provider){withSecret}, secretCache{}, "spec.secretRef: Secret 'apps/auth': not found", provider.Permanent},
		{"Secret not read yet", []func(*v1beta3.Provider){withSecret}, secretCache{"auth": nil}, "spec.secretRef: Secret 'apps/auth': not read yet", provider.Transient},
		{"long address", []func(*v1beta3.Provider){withSecret}, secretCache{"auth": data("address", planted+strings.Repeat("a", 2048))}, `key "address" is longer than 2048 bytes`, provider.Permanent},
		{"headers that are no mapping", []func(*v1beta3.Provider){withSecret}, secretCache{"auth": data("headers", "- "+planted)}, `spec.secretRef: key "headers"`, provider.Permanent},
		{"proxy without address", []func(*v1beta3.Provider){withProxy}, secretCache{"proxy": data("username", "u")}, `spec.proxySecretRef: key "address"`, provider.Permanent},
		{"proxy of another scheme", []func(*v1beta3.Provider){withProxy}, secretCache{"proxy": data("address", "ftp://"+planted)}, "spec.proxySecretRef", provider.Permanent},
		{"proxy in the Secret that is no URL", []func(*v1beta3.Provider){withSecret}, secretCache{"auth": data("proxy", planted)}, `spec.secretRef: key "proxy"`, provider.Permanent},
		{"certificate without key", []func(*v1beta3.Provider){withCert}, secretCache{"cert": data("tls.crt", planted)}, "spec.certSecretRef", provider.Permanent},
		{"neither CA nor certificate", []func(*v1beta3.Provider){withCert}, secretCache{"cert": data("a", "b")}, "spec.certSecretRef", provider.Permanent},
		{"CA that is none", []func(*v1beta3.Provider){withCert}, secretCache{"cert": data("caFile", planted)}, "spec.certSecretRef", provider.Permanent},
		{"ServiceAccount without the gate", []func(*v1beta3.Provider){func(p *v1beta3.Provider) { p.Spec.ServiceAccountName = "sa" }}, nil, "spec.serviceAccountName", provider.Permanent},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := testProvider(tt.mods...)
			r, _ := resolving(p, tt.secrets, ResolverOptions{})
			_, err := r.Resolve(providerObject(p))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("error %v, want %q in it", err, tt.want)
			}
			if strings.Contains(err.Error(), planted) {
				t.Errorf("the error tells a secret: %v", err)
			}
			if got := provider.Classify(err).Kind; got != tt.kind {
				t.Errorf("kind %d, want %d", got, tt.kind)
			}
		})
	}
}

func TestResolveBuildsOncePerEdit(t *testing.T) {
	p := testProvider(withSecret)
	cached := providers{"provider": p}
	secrets := secretCache{"auth": data("token", "one")}
	r, configs := resolving(p, secrets, ResolverOptions{})
	r.providers = cached
	resolve := func() {
		t.Helper()
		if _, err := r.Resolve(providerObject(p)); err != nil {
			t.Fatal(err)
		}
	}
	resolve()
	resolve()
	if len(*configs) != 1 {
		t.Fatalf("built %d times without an edit", len(*configs))
	}
	rotated := data("token", "two")
	rotated.ResourceVersion = "2"
	secrets["auth"] = rotated
	resolve()
	if len(*configs) != 2 || (*configs)[1].Token != "two" {
		t.Fatalf("the rotated Secret is not used: %d built", len(*configs))
	}
	edited := p.DeepCopy()
	edited.Generation, edited.Spec.Channel = 2, "new"
	cached["provider"] = edited
	resolve()
	if len(*configs) != 3 || (*configs)[2].Channel != "new" {
		t.Fatalf("the edit is not used: %d built", len(*configs))
	}
	annotated := edited.DeepCopy()
	annotated.Annotations = map[string]string{"notification.toolkit.fluxcd.io/resolve": "enabled"}
	cached["provider"] = annotated
	resolve()
	if len(*configs) != 4 || !(*configs)[3].Resolve || (*configs)[2].Resolve {
		t.Fatalf("the annotation is not used: %d built", len(*configs))
	}
	r.Drop(p.UID)
	if r.built.Len() != 0 {
		t.Error("a dropped Provider is kept")
	}
}

// TestResolveDeniesAddresses checks that neither way to a service leads to what the operator denies.
func TestResolveDeniesAddresses(t *testing.T) {
	service := httptest.NewServer(http.NotFoundHandler())
	defer service.Close()
	egress, err := httpx.NewEgress([]string{"127.0.0.0/8"})
	if err != nil {
		t.Fatal(err)
	}
	p := testProvider()
	r, configs := resolving(p, nil, ResolverOptions{Egress: egress})
	if _, err := r.Resolve(providerObject(p)); err != nil {
		t.Fatal(err)
	}
	config := (*configs)[0]
	_, byClient := config.Client.Get(service.URL)
	_, byDial := config.Dial(t.Context(), "tcp", service.Listener.Addr().String())
	for _, err := range []error{byClient, byDial} {
		var denied *httpx.DeniedError
		if !errors.As(err, &denied) {
			t.Errorf("error %v", err)
		}
	}
}

func TestResolveOfAnotherProviderOfTheName(t *testing.T) {
	p := testProvider()
	r, _ := resolving(p, nil, ResolverOptions{})
	object := providerObject(p)
	object.UID = "former"
	_, err := r.Resolve(object)
	if c := provider.Classify(err); c.Reason != ReasonProviderDeleted || c.Kind != provider.Permanent {
		t.Errorf("error %v", err)
	}
}

// TestSuspendWhileWaiting suspends a Provider between two attempts.
func TestSuspendWhileWaiting(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := testProvider()
		suspended := p.DeepCopy()
		suspended.Spec.Suspend = true
		cached := providers{"provider": p}
		attempts := 0
		types := func(name string) (provider.Type, bool) {
			return provider.Type{Name: name, New: func(provider.Config) (provider.Sender, error) {
				return senderFunc(func(context.Context, *provider.Notification) error {
					attempts++
					cached["provider"] = suspended
					return provider.Transientf(provider.ReasonServerError, "again")
				}), nil
			}}, true
		}
		recorded := &outcomes{}
		q := NewQueue(DefaultQueueOptions(), NewResolver(cached, nil, types, ResolverOptions{}).Resolve, recorded)
		n := newNotification("provider", 1)
		n.Provider = providerObject(p)
		q.Enqueue(n, anyOrder)
		q.Drain(t.Context())
		if attempts != 1 || len(recorded.all) != 1 || recorded.count(Skipped, SkippedSuspended) != 1 {
			t.Errorf("%d attempts, outcomes %+v, want one attempt and one skip", attempts, recorded.all)
		}
	})
}

func TestResolvedSendersMaskSecrets(t *testing.T) {
	p := testProvider(withSecret)
	r, _ := resolving(p, secretCache{"auth": data("token", "xoxb-planted", "address", "https://example.com/services/T0/B0/planted")}, ResolverOptions{})
	target, err := r.Resolve(providerObject(p))
	if err != nil {
		t.Fatal(err)
	}
	err = target.Sender.Send(t.Context(), newNotification("provider", 1))
	if err == nil || strings.Contains(err.Error(), "planted") || !strings.Contains(err.Error(), "could not reach "+provider.Mask) {
		t.Errorf("error %v", err)
	}
}
