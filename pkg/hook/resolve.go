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

// maxCandidates is how many objects the entries of a Receiver may select for one call, together and with repetitions: more than
// there are in any namespace that we know of, and some 4 MB.
const maxCandidates = 10_000

// errTooMany is about the entry with which there are more.
var errTooMany = fmt.Errorf("this entry and those before it select more than %d objects: "+
	"the rest is not reconciled, nor what the entries after it select", maxCandidates)

// candidates collects what the entries of a Receiver select for one call.
type candidates struct {
	found []candidate
	// seen are those that have been found, with what their filter says and sees: to ask it twice is of no use.
	seen map[asked]bool
}

type asked struct {
	object             *metav1.PartialObjectMetadata
	apiVersion, filter string
}

// add can be errTooMany.
func (c *candidates) add(found candidate, filter string) error {
	question := asked{found.metadata, found.apiVersion, filter}
	if c.seen[question] {
		return nil
	}
	if len(c.found) == maxCandidates {
		return errTooMany
	}
	c.seen[question] = true
	c.found = append(c.found, found)
	return nil
}

// resolve finds the objects of all entries. Those that can be found come also if others cannot.
func (h *Hook) resolve(r *v1.Receiver) (found []candidate, problems []error) {
	all := &candidates{seen: map[asked]bool{}}
	for i := range r.Spec.Resources {
		if err := h.resolveEntry(r, i, all); err != nil {
			problems = append(problems, fmt.Errorf("spec.resources[%d]: %w", i, err))
			if errors.Is(err, errTooMany) {
				break
			}
		}
	}
	return all.found, problems
}

// resolveEntry adds what an entry selects. It adds nothing if there is an error, but for errTooMany.
func (h *Hook) resolveEntry(r *v1.Receiver, i int, all *candidates) error {
	reference := &r.Spec.Resources[i].CrossNamespaceObjectReference
	kind, apiVersion, err := kindOf(reference)
	if err != nil {
		return err
	}
	namespace := cmp.Or(reference.Namespace, r.Namespace)
	if h.NoCrossNamespaceRefs && namespace != r.Namespace {
		return fmt.Errorf("namespace: %s %s/%s is in another namespace than the Receiver, "+
			"which --no-cross-namespace-refs forbids", reference.Kind, namespace, reference.Name)
	}
	selected, err := h.selected(reference, kind, namespace)
	if err != nil {
		return err
	}
	resource, err := h.Objects.Resource(kind)
	if err != nil {
		return err
	}
	for _, object := range selected {
		target := Target{Kind: kind.Kind, Resource: resource, Namespace: object.Namespace, Name: object.Name}
		found := candidate{entry: i, target: target, apiVersion: apiVersion, metadata: object}
		if err := all.add(found, r.Spec.Resources[i].Filter); err != nil {
			return err
		}
	}
	return nil
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
