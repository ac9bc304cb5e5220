package objects

import (
	"slices"

	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
)

// Kind is a row of the table of kinds that Receivers and Alerts can name: the enum of the API knows no others.
type Kind struct {
	Name  string
	Group string
	// DefaultVersion stands for a missing apiVersion in a Receiver's reference. Where it is empty, the reference has
	// to have one.
	DefaultVersion string
}

// GroupKind is the kind with its API group.
func (k Kind) GroupKind() schema.GroupKind { return schema.GroupKind{Group: k.Group, Kind: k.Name} }

// DefaultAPIVersion is the apiVersion of references without one, or empty if they have to have one.
func (k Kind) DefaultAPIVersion() string {
	if k.DefaultVersion == "" {
		return ""
	}
	return schema.GroupVersion{Group: k.Group, Version: k.DefaultVersion}.String()
}

// Kinds is the table of kinds.
func Kinds() []Kind {
	const (
		source     = "source.toolkit.fluxcd.io"
		extensions = "source.extensions.fluxcd.io"
		kustomize  = "kustomize.toolkit.fluxcd.io"
		helm       = "helm.toolkit.fluxcd.io"
		image      = "image.toolkit.fluxcd.io"
	)
	return []Kind{
		{Name: "Bucket", Group: source, DefaultVersion: "v1"},
		{Name: "GitRepository", Group: source, DefaultVersion: "v1"},
		{Name: "HelmChart", Group: source, DefaultVersion: "v1"},
		{Name: "HelmRepository", Group: source, DefaultVersion: "v1"},
		{Name: "OCIRepository", Group: source, DefaultVersion: "v1"},
		{Name: "ExternalArtifact", Group: source},
		{Name: "ArtifactGenerator", Group: extensions, DefaultVersion: "v1beta1"},
		{Name: "Kustomization", Group: kustomize},
		{Name: "HelmRelease", Group: helm},
		{Name: "ImageRepository", Group: image, DefaultVersion: "v1"},
		{Name: "ImagePolicy", Group: image},
		{Name: "ImageUpdateAutomation", Group: image},
	}
}

// LookupKind finds a kind by its name.
func LookupKind(name string) (Kind, bool) {
	for _, kind := range Kinds() {
		if kind.Name == name {
			return kind, true
		}
	}
	return Kind{}, false
}

// ForReceiver lists the kinds that a Receiver annotates, each once.
func ForReceiver(r *v1.Receiver) []schema.GroupKind {
	var kinds []schema.GroupKind
	for _, resource := range r.Spec.Resources {
		kinds = appendKind(kinds, resource.Kind)
	}
	return kinds
}

// ForAlert lists the kinds whose labels an Alert asks for, each once.
func ForAlert(a *v1beta3.Alert) []schema.GroupKind {
	var kinds []schema.GroupKind
	for _, source := range a.Spec.EventSources {
		if source.MatchLabels != nil {
			kinds = appendKind(kinds, source.Kind)
		}
	}
	return kinds
}

// appendKind leaves out kinds that are not in the table: only an object that went around the schema can name one.
func appendKind(kinds []schema.GroupKind, name string) []schema.GroupKind {
	kind, ok := LookupKind(name)
	if !ok || slices.Contains(kinds, kind.GroupKind()) {
		return kinds
	}
	return append(kinds, kind.GroupKind())
}
