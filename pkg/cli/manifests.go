package cli

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/google/uuid"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"sigs.k8s.io/json"
	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// fromFiles makes an inventory of what files hold, as the API server would have it after kubectl apply.
func (o *options) fromFiles(in *input) (*inventory, error) {
	known := &fileObjects{byKind: map[schema.GroupKind][]*metav1.PartialObjectMetadata{}}
	secrets := fileSecrets{}
	inv := &inventory{secrets: secrets, objects: known, namespace: cmp.Or(o.namespace, metav1.NamespaceDefault), notes: known.notes}
	for _, d := range in.objects {
		var h header
		if err := yaml.Unmarshal(d.content, &h); err != nil {
			return nil, fmt.Errorf("%s: %w", d.file, err)
		}
		var err error
		switch h.GroupVersionKind().GroupKind() {
		case schema.GroupKind{Group: notification.GroupName, Kind: "Alert"}:
			inv.alerts, err = decode(o, d, inv, inv.alerts)
		case schema.GroupKind{Group: notification.GroupName, Kind: "Provider"}:
			inv.providers, err = decode(o, d, inv, inv.providers)
		case schema.GroupKind{Group: notification.GroupName, Kind: "Receiver"}:
			inv.receivers, err = decode(o, d, inv, inv.receivers)
		case schema.GroupKind{Kind: "Secret"}:
			err = secrets.add(d.content, inv.namespace)
		default:
			err = known.add(d.content, inv.namespace)
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %s %s: %w", d.file, h.Kind, h.Metadata.Name, err)
		}
	}
	for _, alert := range inv.alerts {
		// The default of the CustomResourceDefinition.
		alert.Spec.EventSeverity = cmp.Or(alert.Spec.EventSeverity, v1beta3.EventSeverityInfo)
	}
	for _, receiver := range inv.receivers {
		// Why one has no path is in its conditions.
		receiver.Status, _ = statusOf(secrets, receiver)
	}
	return inv.sorted(), nil
}

// decode adds an object of ours. A field that the API does not know is only warned of, as the API server would.
func decode[T any, P interface {
	*T
	metav1.Object
}](o *options, d document, inv *inventory, objects []P) ([]P, error) {
	object := P(new(T))
	odd, err := json.UnmarshalStrict(d.content, object)
	if err != nil {
		return nil, err
	}
	for _, field := range odd {
		o.warn("%s: %s: %s", d.file, object.GetName(), field)
	}
	if object.GetName() == "" {
		return nil, errors.New("metadata.name is missing")
	}
	return put(objects, object, fmt.Sprintf("%T", object), inv.namespace), nil
}

// put adds an object to those of its kind, in place of one that has the same name: as when both are applied.
func put[P metav1.Object](objects []P, object P, kind, namespace string) []P {
	object.SetNamespace(cmp.Or(object.GetNamespace(), namespace))
	at, sameUID := -1, false
	for i, other := range objects {
		if other.GetNamespace() == object.GetNamespace() && other.GetName() == object.GetName() {
			at = i
		} else if other.GetUID() == object.GetUID() {
			sameUID = true
		}
	}
	if object.GetUID() == "" || sameUID {
		// The API server would give it one, also to a copy of an exported object. This is always the same.
		name := kind + "/" + object.GetNamespace() + "/" + object.GetName()
		object.SetUID(types.UID(uuid.NewSHA1(uuid.NameSpaceURL, []byte(name)).String()))
	}
	if at < 0 {
		return append(objects, object)
	}
	objects[at] = object
	return objects
}

// fileSecrets are the Secrets of files.
type fileSecrets map[types.NamespacedName]*secret.Secret

// add takes both data and stringData, which goes first.
func (s fileSecrets) add(content []byte, namespace string) error {
	var object corev1.Secret
	if yaml.Unmarshal(content, &object) != nil {
		// What the parser says may quote it.
		return errors.New("data is not base64, or stringData not text")
	}
	data := object.Data
	if data == nil {
		data = map[string][]byte{}
	}
	for key, value := range object.StringData {
		data[key] = []byte(value)
	}
	s[types.NamespacedName{Namespace: cmp.Or(object.Namespace, namespace), Name: object.Name}] = &secret.Secret{Data: data}
	return nil
}

// Get implements [secret.Getter].
func (s fileSecrets) Get(namespace, name string) (*secret.Secret, error) {
	key := types.NamespacedName{Namespace: namespace, Name: name}
	if found := s[key]; found != nil {
		return found, nil
	}
	return nil, fmt.Errorf("Secret '%s': %w", key, secret.ErrNotFound)
}
