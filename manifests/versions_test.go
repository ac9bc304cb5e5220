package manifests_test

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

// testOriginalExample applies the example of the original design, and looks for its content in every version.
func (c *cluster) testOriginalExample(t *testing.T) {
	c.testOldManifest(t, "testdata/original-example.yaml")
}

func (c *cluster) testOldReceivers(t *testing.T) {
	c.testOldManifest(t, "testdata/receivers.yaml")
}

func (c *cluster) testOldManifest(t *testing.T, path string) {
	namespace := c.namespace(t)
	c.Kubectl(t, "apply", "-n", namespace, "-f", path)
	for _, object := range readObjects(t, path) {
		k := kindOf(t, object)
		want := spec(object)
		if _, set := want["interval"]; k.name == "Receiver" && !set {
			want["interval"] = "10m"
		}
		for _, version := range k.versions() {
			got := c.get(t, k, version, namespace, object.GetName())
			equal(t, k.name+" in "+version, spec(got), want)
		}
	}
}

// testFullObjects sends objects with every field through each version and back.
func (c *cluster) testFullObjects(t *testing.T) {
	declared, present := map[string]bool{}, map[string]bool{}
	for _, k := range kinds() {
		addDeclared(declared, k.name, specSchema(t, c.crd(t, k), k.storageVersion))
	}
	for _, full := range readObjects(t, "testdata/full.yaml") {
		addPresent(present, full.GetKind(), spec(full))
		k := kindOf(t, full)
		for _, version := range k.versions() {
			t.Run(full.GetName()+" "+k.name+" in "+version, func(t *testing.T) {
				object := full.DeepCopy()
				object.SetAPIVersion(notification.GroupName + "/" + version)
				c.testRoundTrip(t, k, object)
			})
		}
	}
	for _, field := range slices.Sorted(maps.Keys(declared)) {
		if !present[field] {
			t.Errorf("testdata/full.yaml lacks %s", field)
		}
	}
}

// testRoundTrip creates object in the version that it names, then edits it in each version.
func (c *cluster) testRoundTrip(t *testing.T, k kind, object *unstructured.Unstructured) {
	namespace, name, want := c.namespace(t), object.GetName(), spec(object)
	c.create(t, namespace, object)
	for _, version := range k.versions() {
		client := c.objects(k, version, namespace)
		read := c.get(t, k, version, namespace, name)
		equal(t, "read in "+version, spec(read), want)

		read.SetAnnotations(map[string]string{"updated-in": version})
		strict := metav1.UpdateOptions{FieldValidation: metav1.FieldValidationStrict}
		if _, err := client.Update(t.Context(), read, strict); err != nil {
			t.Errorf("update in %s: %v", version, err)
		}
		patch := []byte(`{"metadata":{"annotations":{"patched-in":"` + version + `"}}}`)
		if _, err := client.Patch(t.Context(), name, types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
			t.Errorf("patch in %s: %v", version, err)
		}
		stored := c.get(t, k, k.storageVersion, namespace, name)
		equal(t, "after writes in "+version, spec(stored), want)
	}
}

// testServerSideApply changes versions as those do who apply from a repository: what was applied in one version is
// theirs to change and to remove in the next.
func (c *cluster) testServerSideApply(t *testing.T) {
	namespace := c.namespace(t)
	options := metav1.ApplyOptions{FieldManager: "repository"}
	for _, object := range readObjects(t, "testdata/full.yaml") {
		k := kindOf(t, object)
		apply := func(version string) {
			t.Helper()
			applied := object.DeepCopy()
			applied.SetAPIVersion(notification.GroupName + "/" + version)
			_, err := c.objects(k, version, namespace).Apply(t.Context(), object.GetName(), applied, options)
			if err != nil {
				t.Fatalf("apply %s %s in %s: %v", k.name, object.GetName(), version, err)
			}
			stored := c.get(t, k, k.storageVersion, namespace, object.GetName())
			equal(t, k.name+" applied in "+version, spec(stored), spec(object))
		}
		for _, version := range []string{"v1beta1", "v1beta2", k.storageVersion} {
			apply(version)
		}
		unstructured.RemoveNestedField(object.Object, "spec", "suspend")
		apply(k.storageVersion)
		apply("v1beta1")
	}
}

// testStatus writes the status that old controllers wrote. A Receiver's is kept. Alerts and Providers do not have its
// fields, or clients would wait for a controller that never writes them.
func (c *cluster) testStatus(t *testing.T) {
	namespace := c.namespace(t)
	written := map[string]any{
		"observedGeneration":     int64(1),
		"lastHandledReconcileAt": "2026-01-01T00:00:00Z",
		"conditions": []any{map[string]any{
			"type": "Ready", "status": "True", "reason": "Initialized", "message": "Initialized",
			"lastTransitionTime": "2026-01-01T00:00:00Z", "observedGeneration": int64(1),
		}},
	}
	for _, object := range readObjects(t, "testdata/full.yaml") {
		k := kindOf(t, object)
		want := maps.Clone(written)
		if k.name == "Receiver" {
			want["url"], want["webhookPath"] = "/hook/old", "/hook/new"
		}
		c.create(t, namespace, object)
		for _, version := range k.versions() {
			read := c.get(t, k, version, namespace, object.GetName())
			read.Object["status"] = maps.Clone(want)
			_, err := c.objects(k, version, namespace).UpdateStatus(t.Context(), read, metav1.UpdateOptions{})
			if err != nil {
				t.Errorf("%s: write the status in %s: %v", k.name, version, err)
			}
			status, _, _ := unstructured.NestedMap(c.get(t, k, k.storageVersion, namespace, object.GetName()).Object, "status")
			if k.name == "Receiver" {
				equal(t, "status of a Receiver written in "+version, status, want)
			} else if len(status) > 0 {
				t.Errorf("%s has a status after a write in %s: %v", k.name, version, status)
			}
		}
	}
}

// testLastDelivery writes the status of Alerts and Providers, which edits through any version keep, and which is no edit.
func (c *cluster) testLastDelivery(t *testing.T) {
	namespace := c.namespace(t)
	want := map[string]any{"lastDelivery": map[string]any{
		"time": "2026-01-01T00:00:00Z", "result": "failed", "reason": "auth", "error": "401 Unauthorized",
	}}
	for _, object := range readObjects(t, "testdata/full.yaml") {
		k := kindOf(t, object)
		if k.name == "Receiver" {
			continue
		}
		c.create(t, namespace, object)
		created := c.get(t, k, k.storageVersion, namespace, object.GetName())
		patch, err := json.Marshal(map[string]any{"status": want})
		if err != nil {
			t.Fatal(err)
		}
		client := c.objects(k, k.storageVersion, namespace)
		if _, err := client.Patch(t.Context(), object.GetName(), types.MergePatchType, patch, metav1.PatchOptions{}, "status"); err != nil {
			t.Fatal(err)
		}
		for _, version := range k.versions() {
			edit := []byte(`{"metadata":{"annotations":{"edited-in":"` + version + `"}}}`)
			if _, err := c.objects(k, version, namespace).Patch(t.Context(), object.GetName(), types.MergePatchType, edit, metav1.PatchOptions{}); err != nil {
				t.Fatal(err)
			}
			read := c.get(t, k, version, namespace, object.GetName())
			status, _, _ := unstructured.NestedMap(read.Object, "status")
			equal(t, k.name+" edited in "+version+": status", status, want)
			equal(t, k.name+" edited in "+version+": generation", read.GetGeneration(), created.GetGeneration())
		}
		shown := c.Kubectl(t, "get", k.in(k.storageVersion), object.GetName(), "-n", namespace, "-o", "wide")
		for _, want := range []string{"REASON", "ERROR", "failed", "auth", "401 Unauthorized"} {
			if !strings.Contains(shown, want) {
				t.Errorf("kubectl get %s -o wide does not show %q:\n%s", k.resource, want, shown)
			}
		}
	}
}

// testIntervalDefault looks for the default in the schema: once stored, an object shows it in every version.
func (c *cluster) testIntervalDefault(t *testing.T) {
	k := kindNamed(t, "Receiver")
	for _, version := range k.versions() {
		value, _, _ := unstructured.NestedString(specSchema(t, c.crd(t, k), version), "properties", "interval", "default")
		want := ""
		if version == k.storageVersion {
			want = "10m"
		}
		equal(t, "default of a Receiver's interval in "+version, value, want)
	}
}

func (c *cluster) testDeprecationWarnings(t *testing.T) {
	namespace := c.namespace(t)
	for _, k := range kinds() {
		for _, version := range k.versions() {
			c.warnings.take()
			if _, err := c.objects(k, version, namespace).List(t.Context(), metav1.ListOptions{}); err != nil {
				t.Fatal(err)
			}
			var want []string
			if version != k.storageVersion {
				want = []string{version + " " + k.name + " is deprecated, upgrade to " + k.storageVersion}
			}
			if got := c.warnings.take(); !slices.Equal(got, want) {
				t.Errorf("%s in %s: warnings are %q, want %q", k.name, version, got, want)
			}
		}
	}
}

// addDeclared adds the names of all fields in schema to fields.
func addDeclared(fields map[string]bool, name string, schema map[string]any) {
	fields[name] = true
	properties, _, _ := unstructured.NestedMap(schema, "properties")
	for field, property := range properties {
		addDeclared(fields, name+"."+field, property.(map[string]any))
	}
	if items, found, _ := unstructured.NestedMap(schema, "items"); found {
		addDeclared(fields, name+"[]", items)
	}
}

// addPresent adds the names of all fields in value to fields.
func addPresent(fields map[string]bool, name string, value any) {
	fields[name] = true
	switch value := value.(type) {
	case map[string]any:
		for field, value := range value {
			addPresent(fields, name+"."+field, value)
		}
	case []any:
		for _, item := range value {
			addPresent(fields, name+"[]", item)
		}
	}
}

// specSchema returns the schema of the spec in one version of crd.
func specSchema(t *testing.T, crd *unstructured.Unstructured, version string) map[string]any {
	t.Helper()
	for _, v := range slice(t, crd.Object, "spec", "versions") {
		v := v.(map[string]any)
		if v["name"] == version {
			schema, _, _ := unstructured.NestedMap(v, "schema", "openAPIV3Schema", "properties", "spec")
			return schema
		}
	}
	t.Fatalf("%s has no version %s", crd.GetName(), version)
	return nil
}
