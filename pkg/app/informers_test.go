package app

import (
	"maps"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
)

// handlerOf keeps the handler that is added to an informer.
type handlerOf struct {
	cache.SharedIndexInformer
	handler cache.ResourceEventHandler
}

func (h *handlerOf) AddEventHandler(handler cache.ResourceEventHandler) (cache.ResourceEventHandlerRegistration, error) {
	h.handler = handler
	return nil, nil
}

// TestStatusIsNoEdit has nothing derived anew from an object of which only the status has changed, which may be so every
// minute.
func TestStatusIsNoEdit(t *testing.T) {
	alert := func(uid types.UID, generation int64, result string) *v1beta3.Alert {
		return &v1beta3.Alert{
			ObjectMeta: metav1.ObjectMeta{UID: uid, Generation: generation},
			Status:     v1beta3.AlertStatus{LastDelivery: &v1beta3.AlertDelivery{Delivery: v1beta3.Delivery{Result: result}}},
		}
	}
	derived := 0
	var informer handlerOf
	_, err := onChange(&informer, func(before, after *v1beta3.Alert) {
		if !sameSpec(before, after) {
			derived++
		}
	}, func(*v1beta3.Alert) {})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		name string
		do   func()
		want int
	}{
		{"created", func() { informer.handler.OnAdd(alert("a", 1, ""), false) }, 1},
		{"delivered", func() { informer.handler.OnUpdate(alert("a", 1, ""), alert("a", 1, "sent")) }, 0},
		{"edited", func() { informer.handler.OnUpdate(alert("a", 1, "sent"), alert("a", 2, "sent")) }, 1},
		{"replaced", func() { informer.handler.OnUpdate(alert("a", 1, "sent"), alert("b", 1, "")) }, 1},
	} {
		derived = 0
		step.do()
		if derived != step.want {
			t.Errorf("%s: derived %d times, want %d", step.name, derived, step.want)
		}
	}
}

func TestDropUnread(t *testing.T) {
	kept := map[string]string{notification.ResolveAnnotation: notification.ResolveEnabled}
	p := &v1beta3.Provider{ObjectMeta: metav1.ObjectMeta{
		Annotations:   map[string]string{corev1.LastAppliedConfigAnnotation: "{}"},
		ManagedFields: []metav1.ManagedFieldsEntry{{Manager: "kubectl"}},
	}}
	maps.Copy(p.Annotations, kept)
	if _, err := dropUnread(p); err != nil {
		t.Fatal(err)
	}
	if len(p.ManagedFields) != 0 || !maps.Equal(p.Annotations, kept) {
		t.Errorf("left %v and %v", p.ManagedFields, p.Annotations)
	}
	if _, err := dropUnread(&v1beta3.Alert{}); err != nil {
		t.Errorf("without annotations: %v", err)
	}
}
