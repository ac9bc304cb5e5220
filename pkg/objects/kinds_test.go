package objects_test

import (
	"os"
	"slices"
	"testing"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/objects"
)

// TestKindsAreThoseOfTheSchema compares the table with the enum in the CRD, which is made from the Go types.
func TestKindsAreThoseOfTheSchema(t *testing.T) {
	var table []string
	for _, kind := range objects.Kinds() {
		table = append(table, kind.Name)
	}
	enum := enumOfKinds(t)
	slices.Sort(table)
	slices.Sort(enum)
	if !slices.Equal(table, enum) {
		t.Errorf("the table has %v, the CRD %v", table, enum)
	}
}

func enumOfKinds(t *testing.T) []string {
	t.Helper()
	file, err := os.ReadFile("../../manifests/crd/notification.toolkit.fluxcd.io_receivers.yaml")
	if err != nil {
		t.Fatal(err)
	}
	type schema struct {
		Enum       []string
		Items      *schema
		Properties map[string]schema
	}
	var crd struct {
		Spec struct {
			Versions []struct {
				Name   string
				Schema struct{ OpenAPIV3Schema schema }
			}
		}
	}
	if err := yaml.Unmarshal(file, &crd); err != nil {
		t.Fatal(err)
	}
	for _, version := range crd.Spec.Versions {
		if version.Name == "v1" {
			return version.Schema.OpenAPIV3Schema.Properties["spec"].Properties["resources"].Items.Properties["kind"].Enum
		}
	}
	t.Fatal("the CRD has no v1")
	return nil
}

// TestDefaultAPIVersions has the list of spec/receivers.md §7.
func TestDefaultAPIVersions(t *testing.T) {
	for name, want := range map[string]string{
		"Bucket":                "source.toolkit.fluxcd.io/v1",
		"HelmChart":             "source.toolkit.fluxcd.io/v1",
		"HelmRepository":        "source.toolkit.fluxcd.io/v1",
		"GitRepository":         "source.toolkit.fluxcd.io/v1",
		"OCIRepository":         "source.toolkit.fluxcd.io/v1",
		"ImageRepository":       "image.toolkit.fluxcd.io/v1",
		"ArtifactGenerator":     "source.extensions.fluxcd.io/v1beta1",
		"Kustomization":         "",
		"HelmRelease":           "",
		"ImagePolicy":           "",
		"ImageUpdateAutomation": "",
		"ExternalArtifact":      "",
	} {
		kind, ok := objects.LookupKind(name)
		if !ok || kind.DefaultAPIVersion() != want {
			t.Errorf("%s: got %q, %v; want %q", name, kind.DefaultAPIVersion(), ok, want)
		}
	}
	if kind, ok := objects.LookupKind("Secret"); ok {
		t.Errorf("found %+v", kind)
	}
}

func TestForReceiver(t *testing.T) {
	reference := func(kind string) v1.ResourceReference {
		return v1.ResourceReference{CrossNamespaceObjectReference: v1.CrossNamespaceObjectReference{Kind: kind}}
	}
	got := objects.ForReceiver(&v1.Receiver{Spec: v1.ReceiverSpec{Resources: []v1.ResourceReference{
		reference("GitRepository"), reference("Kustomization"), reference("GitRepository"), reference("Secret"),
	}}})
	want := []schema.GroupKind{
		{Group: "source.toolkit.fluxcd.io", Kind: "GitRepository"},
		{Group: "kustomize.toolkit.fluxcd.io", Kind: "Kustomization"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

func TestForAlert(t *testing.T) {
	got := objects.ForAlert(&v1beta3.Alert{Spec: v1beta3.AlertSpec{EventSources: []v1beta3.CrossNamespaceObjectReference{
		{Kind: "GitRepository"},
		{Kind: "HelmRelease", MatchLabels: map[string]string{"team": "a"}},
		{Kind: "Bucket", MatchLabels: map[string]string{}},
		{Kind: "HelmRelease", MatchLabels: map[string]string{"team": "b"}},
	}}})
	want := []schema.GroupKind{
		{Group: "helm.toolkit.fluxcd.io", Kind: "HelmRelease"},
		{Group: "source.toolkit.fluxcd.io", Kind: "Bucket"},
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}
