package hook

import (
	"cmp"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/index"
	"github.com/notification-controller/notification-controller/pkg/objects"
)

// candidate is an object that an entry of spec.resources selects.
type candidate struct {
	// entry is the entry's place in spec.resources.
	entry  int
	target Target
	// apiVersion is the one that the entry names or stands for, which need not be the one that is served.
	apiVersion string
	metadata   *metav1.PartialObjectMetadata
}

// resolve finds the objects of all entries. Those that can be found come also if others cannot.
func (h *Hook) resolve(r *v1.Receiver) (found []candidate, problems []error) {
	for i := range r.Spec.Resources {
		ofEntry, err := h.resolveEntry(r, i)
		if err != nil {
			problems = append(problems, fmt.Errorf("spec.resources[%d]: %w", i, err))
			continue
		}
		found = append(found, ofEntry...)
	}
	return found, problems
}

func (h *Hook) resolveEntry(r *v1.Receiver, i int) ([]candidate, error) {
	reference := &r.Spec.Resources[i].CrossNamespaceObjectReference
	kind, apiVersion, err := kindOf(reference)
	if err != nil {
		return nil, err
	}
	namespace := cmp.Or(reference.Namespace, r.Namespace)
	if h.NoCrossNamespaceRefs && namespace != r.Namespace {
		return nil, fmt.Errorf("namespace: %s %s/%s is in another namespace than the Receiver, "+
			"which --no-cross-namespace-refs forbids", reference.Kind, namespace, reference.Name)
	}
	selected, err := h.selected(reference, kind, namespace)
	if err != nil {
		return nil, err
	}
	resource, err := h.Objects.Resource(kind)
	if err != nil {
		return nil, err
	}
	found := make([]candidate, 0, len(selected))
	for _, object := range selected {
		target := Target{Kind: kind.Kind, Resource: resource, Namespace: object.Namespace, Name: object.Name}
		found = append(found, candidate{entry: i, target: target, apiVersion: apiVersion, metadata: object})
	}
	return found, nil
}

// selected returns the object that the reference names, or all that have its labels.
func (h *Hook) selected(reference *v1.CrossNamespaceObjectReference, kind schema.GroupKind, namespace string) ([]*metav1.PartialObjectMetadata, error) {
	if reference.Name != index.AnyName {
		object, err := h.Objects.Get(kind, namespace, reference.Name)
		if err != nil {
			return nil, err
		}
		return []*metav1.PartialObjectMetadata{object}, nil
	}
	if reference.MatchLabels == nil {
		return nil, errors.New(`matchLabels: needed with the name "*"; "{}" selects all objects`)
	}
	return h.Objects.List(kind, namespace, labels.SelectorFromSet(reference.MatchLabels))
}

// kindOf returns the kind of a reference with its API group, and its apiVersion. The version in it does not matter:
// objects are annotated in the version that is served.
func kindOf(reference *v1.CrossNamespaceObjectReference) (schema.GroupKind, string, error) {
	kind, ok := objects.LookupKind(reference.Kind)
	if !ok {
		return schema.GroupKind{}, "", fmt.Errorf("kind: unknown kind %q", reference.Kind)
	}
	apiVersion := cmp.Or(reference.APIVersion, kind.DefaultAPIVersion())
	if apiVersion == "" {
		return schema.GroupKind{}, "", fmt.Errorf("apiVersion: %s has no default, set it to %s/VERSION", kind.Name, kind.Group)
	}
	version, err := schema.ParseGroupVersion(apiVersion)
	if err != nil || version.Group != kind.Group {
		return schema.GroupKind{}, "", fmt.Errorf("apiVersion: %s is not in %q, set it to %s/VERSION", kind.Name, apiVersion, kind.Group)
	}
	return kind.GroupKind(), apiVersion, nil
}
