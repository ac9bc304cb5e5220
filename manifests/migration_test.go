package manifests_test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apitest"
)

const (
	migrationPage = "MIGRATION.md"
	securityPage  = "SECURITY.md"
	// newest stands for the version that Flux 1.9 stores a kind in.
	newest = "newest"
	// finalizer is what Flux's controllers have added to objects.
	finalizer = "finalizers.fluxcd.io"
	// applier is who applied the objects.
	applier = "kustomize-controller"
	token   = "plantedtoken"
)

// TestMigration moves clusters from Flux to this controller and back, with the commands of the page.
func TestMigration(t *testing.T) {
	for _, test := range []struct {
		name string
		// eras are the versions that Flux's CRDs had, one installation after the other. The last one was stored.
		eras [][]string
	}{
		{"from every version", [][]string{{"v1beta1"}, {"v1beta1", "v1beta2"}, {"v1beta1", "v1beta2", newest}}},
		{"from v1alpha1", [][]string{{"v1alpha1"}}},
	} {
		t.Run(test.name, func(t *testing.T) { testMigration(t, test.eras) })
	}
}

func testMigration(t *testing.T, eras [][]string) {
	m := newMigration(t)
	m.Kubectl(t, "apply", "--server-side", "-f", "testdata/flux/controller.yaml")
	for _, versions := range eras {
		m.installFlux(t, versions...)
		m.createObjects(t, versions[len(versions)-1])
	}
	m.waitFluxRights(t, true)
	last := eras[len(eras)-1]
	before := m.objectsIn(t, last[len(last)-1])

	if slices.Contains(last, "v1alpha1") {
		m.run(t, "A cluster of 2020", "Back: rewrite", "Back: forget")
	}
	m.run(t, "There")
	m.waitFluxRights(t, false)
	m.checkOurs(t, before)

	m.run(t, "Whom it can reach", "Back: rewrite", "Back: forget", "Back: install", "What is ours, and goes")
	m.checkFlux(t, before)
	m.waitFluxRights(t, true)
}

// migration is a cluster that moves, and the folder where whoever moves it enters the commands.
type migration struct {
	*cluster
	dir string
	// commands are the shell commands of the pages by where they stand.
	commands map[string]string
	// sink is where the Providers send to.
	sink *sink
}

func newMigration(t *testing.T) *migration {
	m := &migration{cluster: start(t), dir: t.TempDir(), commands: map[string]string{}, sink: newSink(t)}
	back := []string{"Back: rewrite", "Back: forget", "Back: install"}
	for _, block := range slices.Concat(apitest.Blocks(t, migrationPage, "sh"), apitest.Blocks(t, securityPage, "sh")) {
		name := block.Heading
		if name == "Back" {
			name, back = back[0], back[1:]
		}
		m.commands[name] += block.Text
	}

	manifests, err := filepath.Abs(".")
	if err == nil {
		err = os.Symlink(manifests, filepath.Join(m.dir, "manifests"))
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(m.dir, "gotk-components.yaml"), []byte(fluxManifest(t)), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// fluxManifest returns a stand-in for what Flux 1.9 is installed from.
func fluxManifest(t *testing.T) string {
	t.Helper()
	content, err := os.ReadFile("testdata/flux/controller.yaml")
	if err != nil {
		t.Fatal(err)
	}
	manifest := string(content)
	for _, k := range kinds() {
		manifest += "---\n" + toYAML(fluxCRD(t, k, newest).Object)
	}
	return manifest
}

// run enters the commands of the pages.
func (m *migration) run(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		if m.commands[name] == "" {
			t.Fatalf("the pages have no commands %q", name)
		}
		t.Logf("%s:\n%s", name, m.shell(t, m.dir, m.commands[name]))
	}
}

// shell runs commands in a folder and returns what they print.
func (c *cluster) shell(t *testing.T, dir, commands string) string {
	t.Helper()
	command := exec.CommandContext(t.Context(), "bash", "-euo", "pipefail", "-c", commands)
	command.Dir, command.Env = dir, c.Env()
	output, err := command.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s\nin\n%s", err, output, commands)
	}
	return string(output)
}

// in returns what a version of Flux's CRDs is called for a kind.
func in(k kind, version string) string {
	if version == newest {
		return k.storageVersion
	}
	return version
}

// fluxCRD returns Flux's CRD of a kind as it was when it had the versions, of which the last one was stored.
func fluxCRD(t *testing.T, k kind, versions ...string) *unstructured.Unstructured {
	t.Helper()
	content, err := os.ReadFile("testdata/flux/" + k.resource + ".yaml")
	if err != nil {
		t.Fatal(err)
	}
	crd := parse(t, string(content))
	var kept []any
	for _, v := range slice(t, crd.Object, "spec", "versions") {
		v := v.(map[string]any)
		if i := slices.IndexFunc(versions, func(name string) bool { return in(k, name) == v["name"] }); i >= 0 {
			v["storage"] = i == len(versions)-1
			kept = append(kept, v)
		}
	}
	if err := unstructured.SetNestedSlice(crd.Object, kept, "spec", "versions"); err != nil || len(kept) != len(versions) {
		t.Fatalf("%s in %q: %v", k.name, versions, err)
	}
	return crd
}

func (m *migration) installFlux(t *testing.T, versions ...string) {
	t.Helper()
	for _, k := range kinds() {
		if _, err := m.TryKubectl(toYAML(fluxCRD(t, k, versions...).Object), "apply", "--server-side", "-f", "-"); err != nil {
			t.Fatal(err)
		}
		for _, version := range versions {
			m.waitServed(t, k, in(k, version))
		}
	}
}

// createObjects creates objects with every field of a version, in a namespace of their own, as Flux left them: applied
// by kustomize-controller, with finalizers and a status.
func (m *migration) createObjects(t *testing.T, version string) {
	t.Helper()
	namespace := "from-" + version
	m.Kubectl(t, "create", "namespace", namespace)
	m.Kubectl(t, "create", "secret", "generic", "secret", "-n", namespace, "--from-literal=token="+token)
	declared, present := map[string]bool{}, map[string]bool{}
	for _, k := range kinds() {
		addDeclared(declared, k.name, specSchema(t, fluxCRD(t, k, version), in(k, version)))
	}
	for _, object := range readObjects(t, "testdata/flux/objects-"+version+".yaml") {
		addPresent(present, object.GetKind(), spec(object))
		object.SetFinalizers([]string{finalizer})
		object.SetLabels(map[string]string{"team": "shop"})
		if address, _, _ := unstructured.NestedString(object.Object, "spec", "address"); strings.HasPrefix(address, "https://sink.") {
			_ = unstructured.SetNestedField(object.Object, m.sink.URL+"/"+namespace, "spec", "address")
		}
		m.apply(t, namespace, object)
		m.writeStatus(t, namespace, object)
	}
	for field := range declared {
		if !present[field] {
			t.Errorf("testdata/flux/objects-%s.yaml lacks %s", version, field)
		}
	}
}

// apply applies object as kustomize-controller does.
func (m *migration) apply(t *testing.T, namespace string, object *unstructured.Unstructured) {
	t.Helper()
	client := m.objects(kindOf(t, object), object.GroupVersionKind().Version, namespace)
	options := metav1.ApplyOptions{FieldManager: applier, Force: true}
	if _, err := client.Apply(t.Context(), object.GetName(), object, options); err != nil {
		t.Fatalf("apply %s %s: %v", object.GetKind(), object.GetName(), err)
	}
}

// writeStatus writes what Flux's controller wrote of an object in its version.
func (m *migration) writeStatus(t *testing.T, namespace string, object *unstructured.Unstructured) {
	t.Helper()
	k, version := kindOf(t, object), object.GroupVersionKind().Version
	if version == "v1beta3" {
		return
	}
	stored := m.get(t, k, version, namespace, object.GetName())
	status := map[string]any{"conditions": []any{map[string]any{
		"type": "Ready", "status": "True", "reason": "Initialized", "message": "Initialized",
		"lastTransitionTime": "2020-12-01T00:00:00Z",
	}}}
	if version != "v1alpha1" {
		status["observedGeneration"] = stored.GetGeneration()
	}
	switch {
	case k.name != "Receiver":
	case version == "v1alpha1" || version == "v1beta1":
		status["url"] = webhookPath(stored)
	default:
		status["webhookPath"] = webhookPath(stored)
	}
	stored.Object["status"] = status
	options := metav1.UpdateOptions{FieldManager: "notification-controller", FieldValidation: metav1.FieldValidationStrict}
	if _, err := m.objects(k, version, namespace).UpdateStatus(t.Context(), stored, options); err != nil {
		t.Fatal(err)
	}
}

// webhookPath returns the path that a Receiver has at Flux.
func webhookPath(receiver *unstructured.Unstructured) string {
	secret := token
	if _, set := spec(receiver)["secretRef"]; !set {
		secret = ""
	}
	return fmt.Sprintf("/hook/%x", sha256.Sum256([]byte(secret+receiver.GetName()+receiver.GetNamespace())))
}

// objectsIn returns all objects in a version.
func (m *migration) objectsIn(t *testing.T, version string) []unstructured.Unstructured {
	t.Helper()
	var all []unstructured.Unstructured
	for _, k := range kinds() {
		list, err := m.objects(k, in(k, version), metav1.NamespaceAll).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, list.Items...)
	}
	return all
}

// checkSame compares all objects with how they were before.
func (m *migration) checkSame(t *testing.T, before []unstructured.Unstructured) {
	t.Helper()
	after := map[string]*unstructured.Unstructured{}
	for _, object := range m.objectsIn(t, newest) {
		after[object.GetKind()+" "+object.GetNamespace()+"/"+object.GetName()] = &object
	}
	equal(t, "number of objects", len(after), len(before))
	for _, object := range before {
		name := object.GetKind() + " " + object.GetNamespace() + "/" + object.GetName()
		got, want := after[name], spec(&object)
		if got == nil {
			t.Errorf("%s is lost", name)
			continue
		}
		if _, set := want["interval"]; object.GetKind() == "Receiver" && !set {
			want["interval"] = "10m"
		}
		equal(t, name, spec(got), want)
		equal(t, "labels of "+name, got.GetLabels(), object.GetLabels())
		equal(t, "UID of "+name, got.GetUID(), object.GetUID())
		if object.GetKind() == "Receiver" {
			path, _, _ := unstructured.NestedString(got.Object, "status", "webhookPath")
			equal(t, "path of "+name, path, webhookPath(&object))
		}
	}
}

// checkFlux looks for what Flux finds when it is installed again.
func (m *migration) checkFlux(t *testing.T, before []unstructured.Unstructured) {
	t.Helper()
	m.checkSame(t, before)
	for _, k := range kinds() {
		equal(t, k.name+": storedVersions", slice(t, m.crd(t, k).Object, "status", "storedVersions"), []any{k.storageVersion})
	}
	equal(t, "image", m.Kubectl(t, "get", "deployment", "-n", controllerNamespace, controllerName, "-o",
		"jsonpath={.spec.template.spec.containers[*].image}"), "ghcr.io/fluxcd/notification-controller:v1.9.3")
	equal(t, "whom Flux lets connect", m.Kubectl(t, "get", "networkpolicy", "-n", controllerNamespace, "allow-egress", "-o",
		"jsonpath={.spec.podSelector}"), "{}")

	// Whoever applied the objects still owns their fields, and so can take one away.
	for _, object := range m.objectsIn(t, newest) {
		for _, entry := range object.GetManagedFields() {
			equal(t, "version of managed fields", entry.APIVersion, notification.GroupName+"/"+in(kindOf(t, &object), newest))
		}
		applied := object.DeepCopy()
		applied.Object = map[string]any{"apiVersion": object.GetAPIVersion(), "kind": object.GetKind(), "spec": spec(&object)}
		applied.SetName(object.GetName())
		m.apply(t, object.GetNamespace(), applied)
		left := m.get(t, kindOf(t, &object), object.GroupVersionKind().Version, object.GetNamespace(), object.GetName())
		if labels := left.GetLabels(); len(labels) > 0 {
			t.Errorf("%s %s: the labels %v stay though they are no longer applied", object.GetKind(), object.GetName(), labels)
		}
	}

	flux := m.Kubectl(t, "get", "-f", filepath.Join(m.dir, "gotk-components.yaml"), "-o", "name")
	for line := range strings.Lines(m.Kubectl(t, "get", "-f", "install.yaml", "--ignore-not-found", "-o", "name")) {
		if !strings.Contains(flux, line) {
			t.Errorf("is left over: %s", line)
		}
	}
}
