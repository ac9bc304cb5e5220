package alert

import (
	"errors"
	"slices"
	"testing"

	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	"github.com/notification-controller/notification-controller/pkg/generated/clientset/versioned/fake"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1beta3"
)

// TestMigratedAlertIsChecked has an Alert of an older controller whose spec is broken: the removal of its finalizer, after
// which nothing asks for another pass, is not all that there is to say.
func TestMigratedAlertIsChecked(t *testing.T) {
	alert := &v1beta3.Alert{}
	alert.Namespace, alert.Name, alert.Finalizers = "apps", "old", []string{notification.LegacyFinalizer}
	client := fake.NewSimpleClientset(alert.DeepCopy())
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	if err := indexer.Add(alert); err != nil {
		t.Fatal(err)
	}
	events := record.NewFakeRecorder(10)
	c := New(Options{
		Settings: controller.Settings{Events: events},
		Client:   client.NotificationV1beta3(),
		Lister:   listers.NewAlertLister(indexer),
		Check:    func(*v1beta3.Alert) error { return errors.New("spec.inclusionList[0]: broken") },
	})
	if result, err := c.sync(t.Context(), cache.MetaObjectToName(alert)); err != nil || !result.Terminal {
		t.Fatal(result, err)
	}
	var got []string
	for range len(events.Events) {
		got = append(got, <-events.Events)
	}
	want := []string{
		"Normal Migration removed the finalizer of an older controller: Alerts are static objects now",
		"Warning InvalidConfig spec.inclusionList[0]: broken",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}
