package index

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
)

// fill puts objects into an informer's cache.
func fill[T any](t testing.TB, informer cache.SharedIndexInformer, objects ...T) {
	t.Helper()
	for _, object := range objects {
		if err := informer.GetIndexer().Add(object); err != nil {
			t.Fatal(err)
		}
	}
}

func alert(namespace, name string, sources ...v1beta3.CrossNamespaceObjectReference) *v1beta3.Alert {
	return &v1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name, UID: types.UID(namespace + name)}, Spec: v1beta3.AlertSpec{EventSources: sources}}
}

func TestAlertsBySource(t *testing.T) {
	informer := cache.NewSharedIndexInformer(nil, &v1beta3.Alert{}, 0, cache.Indexers{})
	alerts, err := NewAlerts(informer)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(kind, name, namespace string) v1beta3.CrossNamespaceObjectReference {
		return v1beta3.CrossNamespaceObjectReference{Kind: kind, Name: name, Namespace: namespace}
	}
	fill(t, informer,
		alert("apps", "all", ref("Kustomization", "*", "")),
		alert("apps", "one", ref("Kustomization", "shop", "")),
		alert("apps", "both", ref("Kustomization", "shop", ""), ref("Kustomization", "*", ""), ref("Kustomization", "shop", "apps")),
		alert("apps", "other-name", ref("Kustomization", "db", "")),
		alert("apps", "other-kind", ref("HelmRelease", "*", "")),
		alert("other", "elsewhere", ref("Kustomization", "*", "")),
		alert("other", "across", ref("Kustomization", "shop", "apps")),
		alert("apps", "none"),
	)
	found, err := alerts.BySource("Kustomization", "apps", "shop")
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, a := range found {
		names = append(names, a.Name)
	}
	if want := []string{"all", "both", "one", "across"}; !slices.Equal(names, want) {
		t.Errorf("found %v, want %v", names, want)
	}
}

func TestReceiversByPath(t *testing.T) {
	informer := cache.NewSharedIndexInformer(nil, &v1.Receiver{}, 0, cache.Indexers{})
	receivers, err := NewReceivers(informer)
	if err != nil {
		t.Fatal(err)
	}
	now := time.Now()
	receiver := func(namespace, path string, age time.Duration) *v1.Receiver {
		return &v1.Receiver{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: "r", CreationTimestamp: metav1.NewTime(now.Add(-age))},
			Spec: v1.ReceiverSpec{SecretRef: &v1.LocalObjectReference{Name: "s"}}, Status: v1.ReceiverStatus{WebhookPath: path}}
	}
	fill(t, informer, receiver("young", "/hook/a", time.Minute), receiver("old", "/hook/a", time.Hour), receiver("other", "/hook/b", time.Hour), receiver("new", "", time.Hour))
	if r, err := receivers.ByPath("/hook/a"); err != nil || r == nil || r.Namespace != "old" {
		t.Errorf("of two with the same path: %v, %v; want the oldest", r, err)
	}
	open := receiver("open", "", time.Second)
	open.Status.WebhookPath = open.WebhookPathFor("")
	older := receiver("en", open.Status.WebhookPath, time.Hour) // Of the token rop.
	older.Spec = v1.ReceiverSpec{Type: v1.GenericOIDCReceiver}
	fill(t, informer, open, older)
	if r, err := receivers.ByPath(open.Status.WebhookPath); err != nil || r == nil || r.Namespace != "open" {
		t.Errorf("of two, of which the younger has no token: %v, %v; want that one", r, err)
	}
	if r, err := receivers.Rival(older); err != nil || r == nil || r.Namespace != "open" {
		t.Errorf("the rival of the older one is %v, %v", r, err)
	}
	for _, alone := range []*v1.Receiver{open, receiver("other", "/hook/b", time.Hour), receiver("none", "", 0), receiver("elsewhere", "/hook/e", 0)} {
		if r, err := receivers.Rival(alone); err != nil || r != nil {
			t.Errorf("the rival of %s is %v, %v", alone.Namespace, r, err)
		}
	}
	if r, err := receivers.ByPath("/hook/c"); err != nil || r != nil {
		t.Errorf("of an unknown path: %v, %v", r, err)
	}
	if r, err := receivers.ByPath(""); err != nil || r != nil {
		t.Errorf("one without a path was found: %v, %v", r, err)
	}
	if users, err := receivers.BySecret(types.NamespacedName{Namespace: "old", Name: "s"}); err != nil || len(users) != 1 {
		t.Errorf("users of the Secret: %v, %v", users, err)
	}
}

func TestProvidersBySecret(t *testing.T) {
	informer := cache.NewSharedIndexInformer(nil, &v1beta3.Provider{}, 0, cache.Indexers{})
	providers, err := NewProviders(informer)
	if err != nil {
		t.Fatal(err)
	}
	ref := func(name string) *v1beta3.LocalObjectReference { return &v1beta3.LocalObjectReference{Name: name} }
	fill(t, informer, &v1beta3.Provider{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "p"}, Spec: v1beta3.ProviderSpec{
		SecretRef: ref("auth"), ProxySecretRef: ref("proxy"), CertSecretRef: ref("auth"),
	}})
	for name, want := range map[string]int{"auth": 1, "proxy": 1, "cert": 0} {
		if users, err := providers.BySecret(types.NamespacedName{Namespace: "apps", Name: name}); err != nil || len(users) != want {
			t.Errorf("%s: %d users, %v; want %d", name, len(users), err, want)
		}
	}
}

// TestImpossibleSecretsAreNotFollowed has references that the schema takes.
func TestImpossibleSecretsAreNotFollowed(t *testing.T) {
	for _, name := range []string{"", "a/b", "..", strings.Repeat("x", 1<<20)} {
		r := &v1.Receiver{Spec: v1.ReceiverSpec{SecretRef: &v1.LocalObjectReference{Name: name}}}
		p := &v1beta3.Provider{Spec: v1beta3.ProviderSpec{
			SecretRef: &v1beta3.LocalObjectReference{Name: name}, CertSecretRef: &v1beta3.LocalObjectReference{Name: "tls.example"},
		}}
		if found := ReceiverSecrets(r); len(found) != 0 {
			t.Errorf("%.10q: a Receiver refers to %d Secrets", name, len(found))
		}
		if found := ProviderSecrets(p); len(found) != 1 || found[0].Name != "tls.example" {
			t.Errorf("%.10q: a Provider refers to %d Secrets, want the other one", name, len(found))
		}
	}
}

func TestWrongTypeIsAnError(t *testing.T) {
	if _, err := by(func(*v1.Receiver) []string { return nil })(&v1beta3.Alert{}); err == nil {
		t.Error("an object of another type was indexed")
	}
}

func BenchmarkAlertsBySource(b *testing.B) {
	for _, size := range []int{100, 10_000, 50_000} {
		b.Run(fmt.Sprintf("alerts=%d", size), func(b *testing.B) {
			informer := cache.NewSharedIndexInformer(nil, &v1beta3.Alert{}, 0, cache.Indexers{})
			alerts, err := NewAlerts(informer)
			if err != nil {
				b.Fatal(err)
			}
			for i := range size {
				fill(b, informer, alert("apps", fmt.Sprint(i), v1beta3.CrossNamespaceObjectReference{Kind: "Kustomization", Name: fmt.Sprint(i)}))
			}
			b.ReportAllocs()
			for b.Loop() {
				if found, _ := alerts.BySource("Kustomization", "apps", "7"); len(found) != 1 {
					b.Fatal("not found")
				}
			}
		})
	}
}
