package app

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/metadata/metadatainformer"
	"k8s.io/client-go/tools/cache"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/generated/informers/externalversions"
	listersv1 "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1"
	listersv1beta3 "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/index"
	"github.com/notification-controller/notification-controller/pkg/objects"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// informers are the caches of our own kinds and of the Secrets' metadata.
type informers struct {
	alerts, providers, receivers, secrets cache.SharedIndexInformer

	alertLister    listersv1beta3.AlertLister
	providerLister listersv1beta3.ProviderLister
	receiverLister listersv1.ReceiverLister

	alertIndex    *index.Alerts
	providerIndex *index.Providers
	receiverIndex *index.Receivers
}

func newInformers(c *clients, namespace string) (*informers, error) {
	factory := externalversions.NewSharedInformerFactoryWithOptions(c.notification, 0,
		externalversions.WithNamespace(namespace), externalversions.WithTransform(dropUnread),
		externalversions.WithTweakListOptions(objects.Fresh))
	kinds := factory.Notification()
	i := &informers{
		alerts:         kinds.V1beta3().Alerts().Informer(),
		alertLister:    kinds.V1beta3().Alerts().Lister(),
		providers:      kinds.V1beta3().Providers().Informer(),
		providerLister: kinds.V1beta3().Providers().Lister(),
		receivers:      kinds.V1().Receivers().Informer(),
		receiverLister: kinds.V1().Receivers().Lister(),
		secrets: metadatainformer.NewFilteredMetadataInformer(c.metadata, corev1.SchemeGroupVersion.WithResource("secrets"), namespace, 0,
			cache.Indexers{}, func(o *metav1.ListOptions) {
				objects.Fresh(o)
				o.FieldSelector = secret.Selector
			}).Informer(),
	}
	var err error
	if i.alertIndex, err = index.NewAlerts(i.alerts); err != nil {
		return nil, fmt.Errorf("index Alerts: %w", err)
	}
	if i.providerIndex, err = index.NewProviders(i.providers); err != nil {
		return nil, fmt.Errorf("index Providers: %w", err)
	}
	if i.receiverIndex, err = index.NewReceivers(i.receivers); err != nil {
		return nil, fmt.Errorf("index Receivers: %w", err)
	}
	if err := i.secrets.SetTransform(keepVersion); err != nil {
		return nil, fmt.Errorf("watch Secrets: %w", err)
	}
	return i, nil
}

// all informers, to start and to wait for.
func (i *informers) all() []cache.SharedIndexInformer {
	return []cache.SharedIndexInformer{i.alerts, i.providers, i.receivers, i.secrets}
}

// run follows the API server until ctx ends.
func (i *informers) run(ctx context.Context, start func(func())) {
	for _, informer := range i.all() {
		start(func() { informer.RunWithContext(ctx) })
	}
}

// reportSync says of each kind that is read from a cache whether all its objects have been read: our own, Secrets, and
// those that Alerts match by label or Receivers annotate.
func (a *App) reportSync(report func(kind string, synced bool)) {
	report("Alert", a.informers.alerts.HasSynced())
	report("Provider", a.informers.providers.HasSynced())
	report("Receiver", a.informers.receivers.HasSynced())
	report("Secret", a.informers.secrets.HasSynced() && a.secrets.Attempted())
	a.objects.ReportSync(report)
}

// refersTo says whether any Provider or Receiver refers to a Secret.
func (i *informers) refersTo(name types.NamespacedName) bool {
	providers, err := i.providerIndex.BySecret(name)
	if err == nil && len(providers) > 0 {
		return true
	}
	receivers, err := i.receiverIndex.BySecret(name)
	return err == nil && len(receivers) > 0
}

// Provider implements the interface through which the outbound flow reads Providers.
func (i *informers) Provider(namespace, name string) (*v1beta3.Provider, error) {
	return i.providerLister.Providers(namespace).Get(name)
}

// dropUnread leaves out of the cache what nobody reads: who wrote which field, and the copy of the whole object that
// kubectl apply keeps in it.
func dropUnread(obj any) (any, error) {
	if object, ok := obj.(metav1.Object); ok {
		object.SetManagedFields(nil)
		delete(object.GetAnnotations(), corev1.LastAppliedConfigAnnotation)
	}
	return obj, nil
}

// keepVersion leaves of a Secret's metadata what tells it apart from its other versions.
func keepVersion(obj any) (any, error) {
	full, ok := obj.(*metav1.PartialObjectMetadata)
	if !ok {
		return obj, nil
	}
	return &metav1.PartialObjectMetadata{ObjectMeta: metav1.ObjectMeta{
		Namespace: full.Namespace, Name: full.Name, UID: full.UID, ResourceVersion: full.ResourceVersion,
	}}, nil
}

// onChange calls set for every object there is, is created or changed, and gone for what is gone: the object before an
// edit is neither. An object that was replaced by another one of the same name is gone.
func onChange[T interface {
	comparable
	metav1.Object
}](informer cache.SharedIndexInformer, set func(before, after T), gone func(T)) (cache.ResourceEventHandlerRegistration, error) {
	var none T
	remove := func(obj any) {
		if tombstone, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = tombstone.Obj
		}
		if object, ok := obj.(T); ok {
			gone(object)
		}
	}
	return informer.AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc: func(obj any) {
			if object, ok := obj.(T); ok {
				set(none, object)
			}
		},
		UpdateFunc: func(old, obj any) {
			before, beforeOK := old.(T)
			after, ok := obj.(T)
			if !ok || !beforeOK {
				return
			}
			if before.GetUID() != after.GetUID() {
				remove(before)
				before = none
			}
			set(before, after)
		},
		DeleteFunc: remove,
	})
}

// sameSpec says whether an update changed nothing but the metadata or the status, which may be written every minute.
func sameSpec[T interface {
	comparable
	metav1.Object
}](before, after T) bool {
	var none T
	return before != none && before.GetGeneration() == after.GetGeneration()
}

// secretsOf lists the Secrets of a Provider, which may be nil.
func secretsOf(p *v1beta3.Provider) []types.NamespacedName {
	if p == nil {
		return nil
	}
	return index.ProviderSecrets(p)
}

// tokensOf is secretsOf for Receivers.
func tokensOf(r *v1.Receiver) []types.NamespacedName {
	if r == nil {
		return nil
	}
	return index.ReceiverSecrets(r)
}
