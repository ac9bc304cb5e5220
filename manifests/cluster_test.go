package manifests_test

import (
	"context"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/json"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// kind is a kind of this API group.
type kind struct {
	name, resource, storageVersion string
}

func kinds() []kind {
	return []kind{
		{"Alert", "alerts", "v1beta3"},
		{"Provider", "providers", "v1beta3"},
		{"Receiver", "receivers", "v1"},
	}
}

func olderVersions() []string { return []string{"v1beta2", "v1beta1"} }

func (k kind) versions() []string { return append(olderVersions(), k.storageVersion) }

// in returns the name by which kubectl knows the kind in one version.
func (k kind) in(version string) string {
	return k.resource + "." + version + "." + notification.GroupName
}

// cluster is an API server with the means to use it.
type cluster struct {
	*apitest.ControlPlane
	client   dynamic.Interface
	typed    kubernetes.Interface
	warnings *warnings
}

func start(t *testing.T) *cluster {
	t.Helper()
	cp := apitest.Start(t)
	config := cp.Config()
	recorded := &warnings{}
	config.WarningHandler = recorded
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	return &cluster{ControlPlane: cp, client: client, typed: typed, warnings: recorded}
}

// waitServed waits until the API server, told of a version of a kind, serves it.
func (c *cluster) waitServed(t *testing.T, k kind, version string) {
	t.Helper()
	served := func(ctx context.Context) (bool, error) {
		_, err := c.objects(k, version, metav1.NamespaceDefault).List(ctx, metav1.ListOptions{})
		return err == nil, nil
	}
	if err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, 30*time.Second, true, served); err != nil {
		t.Fatalf("%s is not served in %s: %v", k.name, version, err)
	}
}

// namespace returns the name of a new namespace.
func (c *cluster) namespace(t *testing.T) string {
	t.Helper()
	object := &unstructured.Unstructured{}
	object.SetAPIVersion("v1")
	object.SetKind("Namespace")
	object.SetGenerateName("test-")
	namespaces := c.client.Resource(schema.GroupVersionResource{Version: "v1", Resource: "namespaces"})
	created, err := namespaces.Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created.GetName()
}

func (c *cluster) crd(t *testing.T, k kind) *unstructured.Unstructured {
	t.Helper()
	crds := schema.GroupVersionResource{Group: "apiextensions.k8s.io", Version: "v1", Resource: "customresourcedefinitions"}
	crd, err := c.client.Resource(crds).Get(t.Context(), k.resource+"."+notification.GroupName, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return crd
}

// objects is the client for one version of a kind.
func (c *cluster) objects(k kind, version, namespace string) dynamic.ResourceInterface {
	gvr := schema.GroupVersionResource{Group: notification.GroupName, Version: version, Resource: k.resource}
	return c.client.Resource(gvr).Namespace(namespace)
}

func (c *cluster) get(t *testing.T, k kind, version, namespace, name string) *unstructured.Unstructured {
	t.Helper()
	object, err := c.objects(k, version, namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatalf("get %s %s in %s: %v", k.name, name, version, err)
	}
	return object
}

// create creates object in the version that it names.
func (c *cluster) create(t *testing.T, namespace string, object *unstructured.Unstructured) {
	t.Helper()
	client := c.objects(kindOf(t, object), object.GroupVersionKind().Version, namespace)
	options := metav1.CreateOptions{FieldValidation: metav1.FieldValidationStrict}
	if _, err := client.Create(t.Context(), object, options); err != nil {
		t.Fatalf("create %s %s: %v", object.GetKind(), object.GetName(), err)
	}
}

func kindOf(t *testing.T, object *unstructured.Unstructured) kind {
	t.Helper()
	return kindNamed(t, object.GetKind())
}

func kindNamed(t *testing.T, name string) kind {
	t.Helper()
	i := slices.IndexFunc(kinds(), func(k kind) bool { return k.name == name })
	if i < 0 {
		t.Fatalf("%q is no kind of this group", name)
	}
	return kinds()[i]
}

// warnings records the warnings that the API server answers with.
type warnings struct {
	mutex sync.Mutex
	texts []string
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(_ int, _, text string) {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	w.texts = append(w.texts, text)
}

// take returns the warnings since the last call.
func (w *warnings) take() []string {
	w.mutex.Lock()
	defer w.mutex.Unlock()
	texts := w.texts
	w.texts = nil
	return texts
}

// readObjects returns the objects in a file that are of a kind of this group.
func readObjects(t *testing.T, path string) []*unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var objects []*unstructured.Unstructured
	for document := range strings.SplitSeq(string(content), "\n---\n") {
		if object := parse(t, document); object.GroupVersionKind().Group == notification.GroupName {
			objects = append(objects, object)
		}
	}
	if len(objects) == 0 {
		t.Fatalf("%s holds no objects of this group", path)
	}
	return objects
}

func parse(t *testing.T, document string) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{}
	content, err := yaml.YAMLToJSONStrict([]byte(document))
	if err == nil {
		// Unlike encoding/json, this makes whole numbers int64, as objects from the API server have them.
		err = json.Unmarshal(content, &object.Object)
	}
	if err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return object
}

// spec returns a copy of the spec of object.
func spec(object *unstructured.Unstructured) map[string]any {
	spec, _, _ := unstructured.NestedMap(object.Object, "spec")
	return spec
}

// slice returns the list at path in object.
func slice(t *testing.T, object map[string]any, path ...string) []any {
	t.Helper()
	list, found, err := unstructured.NestedSlice(object, path...)
	if err != nil || !found {
		t.Fatalf("no list %s in %v (%v)", strings.Join(path, "."), object, err)
	}
	return list
}

// equal compares two values made of maps, slices and scalars.
func equal(t *testing.T, what string, got, want any) {
	t.Helper()
	if !reflect.DeepEqual(got, want) {
		t.Errorf("%s: got\n%s\nwant\n%s", what, toYAML(got), toYAML(want))
	}
}

func toYAML(value any) string {
	text, err := yaml.Marshal(value)
	if err != nil {
		return fmt.Sprint(value)
	}
	return string(text)
}
