package cli

import (
	"cmp"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/cache"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/hook"
	"github.com/notification-controller/notification-controller/pkg/index"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// kind is one of ours, of which a subcommand needs all objects.
type kind int

const (
	alerts kind = iota
	providers
	receivers
)

// inventory is the objects that the server's stages ask for, from files or from a cluster.
type inventory struct {
	alerts    []*v1beta3.Alert
	providers []*v1beta3.Provider
	receivers []*v1.Receiver
	secrets   secret.Getter
	objects   hook.Objects
	// accounts is nil without a cluster.
	accounts corev1client.ServiceAccountsGetter
	// namespace is that of what has none.
	namespace string
	// live says that the objects are those of a cluster.
	live bool
	// notes returns what was taken for granted so far.
	notes func() []string
}

// Provider implements [dispatch.ProviderGetter].
func (i *inventory) Provider(namespace, name string) (*v1beta3.Provider, error) {
	if found := find(i.providers, namespace, name); found != nil {
		return found, nil
	}
	return nil, apierrors.NewNotFound(v1beta3.Resource("providers"), name)
}

// named is the objects for webhooks, of which a file need not have those that a Receiver names.
func (i *inventory) named() hook.Objects {
	if files, ok := i.objects.(*fileObjects); ok {
		return assuming{files}
	}
	return i.objects
}

// sorted puts the objects in the order of the answers.
func (i *inventory) sorted() *inventory {
	sort(i.alerts)
	sort(i.providers)
	sort(i.receivers)
	return i
}

func sort[T metav1.Object](objects []T) {
	slices.SortStableFunc(objects, func(a, b T) int {
		return cmp.Or(cmp.Compare(a.GetNamespace(), b.GetNamespace()), cmp.Compare(a.GetName(), b.GetName()))
	})
}

// find returns an object, the zero value if there is none.
func find[T metav1.Object](objects []T, namespace, name string) (found T) {
	for _, object := range objects {
		if object.GetNamespace() == namespace && object.GetName() == name {
			return object
		}
	}
	return found
}

// want returns the object that an argument names.
func want[T interface {
	comparable
	metav1.Object
}](kind string, objects []T, namespace, name string) (T, error) {
	var none T
	found := find(objects, namespace, name)
	if found == none {
		return none, fmt.Errorf("there is no %s '%s/%s' (--namespace says where to look)", kind, namespace, name)
	}
	return found, nil
}

// store is a cache that nobody fills but us, which is all that an index needs.
type store struct{ cache.Indexer }

// GetIndexer implements [index.Indexer].
func (s store) GetIndexer() cache.Indexer { return s.Indexer }

func newStore[T any](objects []T) (store, error) {
	s := store{cache.NewIndexer(cache.DeletionHandlingMetaNamespaceKeyFunc, cache.Indexers{})}
	for _, object := range objects {
		if err := s.Add(object); err != nil {
			return s, err
		}
	}
	return s, nil
}

// alertIndex finds Alerts as the server does.
func alertIndex(alerts []*v1beta3.Alert) (*index.Alerts, error) {
	s, err := newStore(alerts)
	if err != nil {
		return nil, err
	}
	return index.NewAlerts(s)
}

// receiverIndex finds Receivers as the server does.
func receiverIndex(receivers []*v1.Receiver) (*index.Receivers, error) {
	s, err := newStore(receivers)
	if err != nil {
		return nil, err
	}
	return index.NewReceivers(s)
}
