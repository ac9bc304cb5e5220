package registry

import (
	"fmt"
	"net/url"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// TestExamplesSend checks that a sender can be made of each example. That the API server takes them, too, is checked with
// all pages, by package manifests.
func TestExamplesSend(t *testing.T) {
	for _, row := range Types() {
		t.Run(row.Name, func(t *testing.T) {
			objects := strings.Split(example(t, row), "---\n")
			var p v1beta3.Provider
			read(t, objects[0], &p)
			secrets := exampleSecrets{}
			if len(objects) > 1 {
				var s corev1.Secret
				read(t, objects[1], &s)
				secrets[s.Name] = map[string][]byte{}
				for key, value := range s.StringData {
					secrets[s.Name][key] = []byte(value)
				}
				if !strings.HasPrefix(s.Name, p.Name) {
					t.Errorf("the Secret is called %s", s.Name)
				}
			}
			resolver := dispatch.NewResolver(nil, secrets, New().Lookup, dispatch.ResolverOptions{
				AllowServiceAccounts: true,
				Identity:             func(*v1beta3.Provider, *url.URL) provider.Identity { return someIdentity{} },
			})
			if _, err := resolver.ResolveProvider(&p); err != nil || p.Spec.Type != row.Name {
				t.Errorf("type %s: %v", p.Spec.Type, err)
			}
		})
	}
}

func read(t *testing.T, text string, into any) {
	t.Helper()
	if err := yaml.UnmarshalStrict([]byte(text), into); err != nil {
		t.Fatal(err)
	}
}

// exampleSecrets is the data of Secrets by name.
type exampleSecrets map[string]map[string][]byte

func (s exampleSecrets) Get(_, name string) (*secret.Secret, error) {
	data, ok := s[name]
	if !ok {
		return nil, fmt.Errorf("the example has no Secret %s: %w", name, secret.ErrNotFound)
	}
	return &secret.Secret{Data: data}, nil
}

// someIdentity is never asked.
type someIdentity struct{ provider.Identity }
