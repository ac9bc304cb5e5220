package manifests_test

import (
	"os"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

// TestUpgrade installs the manifests where a controller of 2020 stored objects as v1beta1.
func TestUpgrade(t *testing.T) {
	c := start(t)
	for _, k := range kinds() {
		c.installOnly(t, k, "v1beta1")
	}
	namespace := c.namespace(t)
	objects := append(readObjects(t, "testdata/original-example.yaml"), readObjects(t, "testdata/receivers.yaml")[0])
	for _, object := range objects {
		k := kindOf(t, object)
		c.create(t, namespace, object)
		created := c.get(t, k, "v1beta1", namespace, object.GetName())
		created.Object["status"] = map[string]any{"observedGeneration": int64(1)}
		if _, err := c.objects(k, "v1beta1", namespace).UpdateStatus(t.Context(), created, metav1.UpdateOptions{}); err != nil {
			t.Fatal(err)
		}
	}

	c.install(t)
	for _, object := range objects {
		k, want := kindOf(t, object), spec(object)
		stored := c.get(t, k, k.storageVersion, namespace, object.GetName())
		equal(t, k.name+" stored in v1beta1", spec(stored), want)
		status, _, _ := unstructured.NestedMap(stored.Object, "status")
		if _, shown := status["observedGeneration"]; shown != (k.name == "Receiver") {
			t.Errorf("%s stored in v1beta1 shows status %v", k.name, status)
		}
		c.Kubectl(t, "annotate", k.in(k.storageVersion), "-n", namespace, object.GetName(), "moved=true")
	}
}

// installOnly installs the CRD of a kind as it was when there was only one version.
func (c *cluster) installOnly(t *testing.T, k kind, version string) {
	t.Helper()
	content, err := os.ReadFile("crd/" + notification.GroupName + "_" + k.resource + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	crd := parse(t, string(content))
	for _, v := range slice(t, crd.Object, "spec", "versions") {
		v := v.(map[string]any)
		if v["name"] != version {
			continue
		}
		v["storage"] = true
		if err := unstructured.SetNestedSlice(crd.Object, []any{v}, "spec", "versions"); err != nil {
			t.Fatal(err)
		}
	}
	c.Apply(t, toYAML(crd.Object))
	c.waitServed(t, k, version)
}
