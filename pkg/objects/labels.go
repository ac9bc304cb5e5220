package objects

import (
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// Getter gives the metadata of an object; see [Informers.Get].
type Getter interface {
	Get(kind schema.GroupKind, namespace, name string) (*metav1.PartialObjectMetadata, error)
}

// Labels returns the labels of an event's object. They are shared: do not change them. An event whose apiVersion is not
// that of its kind is an error, as is every error of the Getter.
func Labels(from Getter, ref event.ObjectReference) (map[string]string, error) {
	if ref.APIVersion == "" {
		return nil, errors.New("the event does not say the object's apiVersion")
	}
	kind, ok := LookupKind(ref.Kind)
	if !ok || kind.Group != ref.Group() {
		return nil, fmt.Errorf("the event's object is of apiVersion %q, which is not that of a %s", ref.APIVersion, ref.Kind)
	}
	object, err := from.Get(kind.GroupKind(), ref.Namespace, ref.Name)
	if err != nil {
		return nil, err
	}
	return object.Labels, nil
}
