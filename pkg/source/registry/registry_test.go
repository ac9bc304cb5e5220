package registry_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/source/registry"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

func TestLookup(t *testing.T) {
	types := registry.New()
	for _, row := range registry.Types() {
		found, ok := types.Lookup(row.Name)
		if !ok || found.Name != row.Name || found.Title != row.Title {
			t.Errorf("Lookup(%q) = %+v, %v", row.Name, found, ok)
		}
	}
	if found, ok := types.Lookup("no-such-type"); ok {
		t.Errorf("found %+v", found)
	}
}

// TestSecretsThatCannotWork has Secrets whose keys are all there, but with which no call can be verified.
func TestSecretsThatCannotWork(t *testing.T) {
	for _, test := range []struct{ typ, key, value string }{
		{"standard-webhooks", "token", "planted"},
		{"standard-webhooks", "token", "whsec_planted!"},
		{"standard-webhooks", "token", signingKey + "==\n"},
		{"sns", "topicARN", "planted"},
		{"sns", "topicARN", "arn:aws:sqs:us-west-2:123456789012:planted"},
		{"sns", "topicARN", "arn:aws:sns:us-west-2:123456789012:planted\n"},
	} {
		err := rowOf(t, test.typ).CheckSecret(sourcetest.Secret(test.key, test.value))
		if err == nil || !strings.HasPrefix(err.Error(), test.key+": ") || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s, %q: got %v", test.typ, test.value, err)
		}
	}
}

// TestTypesAreInTheSchema compares the table with the enum of the CRD, which is made from the Go types. Types of the
// enum without a row are still to be written.
func TestTypesAreInTheSchema(t *testing.T) {
	enum := enumOfTypes(t)
	var names []string
	for _, row := range registry.Types() {
		if !slices.Contains(enum, row.Name) {
			t.Errorf("the type %q is not in the enum of spec.type: %v", row.Name, enum)
		}
		if slices.Contains(names, row.Name) {
			t.Errorf("two rows have the name %q", row.Name)
		}
		names = append(names, row.Name)
	}
}

func enumOfTypes(t *testing.T) []string {
	t.Helper()
	file, err := os.ReadFile("../../../manifests/crd/notification.toolkit.fluxcd.io_receivers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct {
					OpenAPIV3Schema struct {
						Properties struct {
							Spec struct {
								Properties struct{ Type struct{ Enum []string } }
							}
						}
					}
				}
			}
		}
	}
	if err := yaml.Unmarshal(file, &crd); err != nil {
		t.Fatal(err)
	}
	for _, version := range crd.Spec.Versions {
		if enum := version.Schema.OpenAPIV3Schema.Properties.Spec.Properties.Type.Enum; version.Name == "v1" && len(enum) > 0 {
			return enum
		}
	}
	t.Fatal("the CRD has no enum for spec.type in v1")
	return nil
}
