package provider

import (
	"errors"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/tools/record"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/controller"
	listers "github.com/notification-controller/notification-controller/pkg/generated/listers/notification/v1beta3"
)

// TestBrokenProvider has a Provider of which something is wrong when it is new, when it is not any more, and again.
func TestBrokenProvider(t *testing.T) {
	p := &v1beta3.Provider{}
	p.Namespace, p.Name = "apps", "slack"
	indexer := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
	events := record.NewFakeRecorder(10)
	c := New(Options{
		Settings: controller.Settings{Events: events},
		Lister:   listers.NewProviderLister(indexer),
		Check:    func(*v1beta3.Provider) error { return errors.New("spec.address: broken") },
	})
	for _, test := range []struct {
		name             string
		age              time.Duration
		terminal, warned bool
	}{
		{"new", 0, false, false},
		{"not new", time.Hour, true, true},
		{"looked at again", time.Hour, true, false},
	} {
		p.CreationTimestamp = metav1.NewTime(time.Now().Add(-test.age))
		if err := indexer.Add(p.DeepCopy()); err != nil {
			t.Fatal(err)
		}
		result, err := c.sync(t.Context(), cache.MetaObjectToName(p))
		if err != nil || result.Terminal != test.terminal || (result.RequeueAfter > 0) == test.terminal {
			t.Errorf("%s: got %+v, %v", test.name, result, err)
		}
		warned := len(events.Events) > 0
		if warned != test.warned {
			t.Errorf("%s: warned is %t", test.name, warned)
		}
		for range len(events.Events) {
			<-events.Events
		}
	}
}
