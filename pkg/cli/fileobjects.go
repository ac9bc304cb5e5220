package cli

import (
	"cmp"
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/objects"
)

// fileObjects are the objects of other kinds in files.
type fileObjects struct {
	byKind map[schema.GroupKind][]*metav1.PartialObjectMetadata
	// assumed are those that no file has.
	assumed []string
}

func (f *fileObjects) add(content []byte, namespace string) error {
	object := &metav1.PartialObjectMetadata{}
	if err := yaml.Unmarshal(content, object); err != nil {
		return err
	}
	kind := object.GroupVersionKind().GroupKind()
	f.byKind[kind] = put(f.byKind[kind], object, object.Kind, namespace)
	return nil
}

// Get implements [hook.Objects].
func (f *fileObjects) Get(kind schema.GroupKind, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	if found := find(f.byKind[kind], namespace, name); found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("%s %s/%s: %w: no file has it", kind.Kind, namespace, name, objects.ErrNotFound)
}

// List implements [hook.Objects].
func (f *fileObjects) List(kind schema.GroupKind, namespace string, selector labels.Selector) ([]*metav1.PartialObjectMetadata, error) {
	var found []*metav1.PartialObjectMetadata
	for _, object := range f.byKind[kind] {
		if object.Namespace == namespace && selector.Matches(labels.Set(object.Labels)) {
			found = append(found, object)
		}
	}
	slices.SortFunc(found, func(a, b *metav1.PartialObjectMetadata) int { return cmp.Compare(a.Name, b.Name) })
	return found, nil
}

// Resource implements [hook.Objects].
func (f *fileObjects) Resource(kind schema.GroupKind) (schema.GroupVersionResource, error) {
	resource, _ := meta.UnsafeGuessKindToResource(kind.WithVersion(""))
	return resource, nil
}

func (f *fileObjects) notes() []string { return f.assumed }

// assuming is [fileObjects] for webhooks: objects that a Receiver names need not be in a file, since they are mostly
// kept elsewhere. They have no labels then.
type assuming struct{ *fileObjects }

// Get implements [hook.Objects].
func (a assuming) Get(kind schema.GroupKind, namespace, name string) (*metav1.PartialObjectMetadata, error) {
	if found := find(a.byKind[kind], namespace, name); found != nil {
		return found, nil
	}
	a.assumed = append(a.assumed, fmt.Sprintf("no file has %s %s/%s: it is taken to exist, without labels", kind.Kind, namespace, name))
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}}, nil
}
