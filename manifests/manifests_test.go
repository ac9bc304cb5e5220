// Package manifests_test installs the manifests on a real API server and uses what they install.
package manifests_test

import (
	"os"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// TestManifests runs all tests that share one API server on which the manifests are installed.
func TestManifests(t *testing.T) {
	c := start(t)
	c.install(t)

	t.Run("Reapply", c.testReapply)
	t.Run("CRDs", c.testCRDs)
	t.Run("Samples", c.testSamples)
	t.Run("Columns", c.testColumns)
	t.Run("Deployment", c.testDeployment)

	t.Run("OriginalExample", c.testOriginalExample)
	t.Run("OldReceivers", c.testOldReceivers)
	t.Run("FullObjects", c.testFullObjects)
	t.Run("ServerSideApply", c.testServerSideApply)
	t.Run("Status", c.testStatus)
	t.Run("LastDelivery", c.testLastDelivery)
	t.Run("IntervalDefault", c.testIntervalDefault)
	t.Run("DeprecationWarnings", c.testDeprecationWarnings)

	t.Run("Limits", c.testLimits)
	t.Run("Rules", c.testRules)
	t.Run("WithoutSpec", c.testWithoutSpec)

	t.Run("ControllerRole", c.testControllerRole)
	t.Run("ControllerRequests", c.testControllerRequests)
	t.Run("UserRoles", c.testUserRoles)
	t.Run("InPlaceOfFlux", c.testInPlaceOfFlux)
	t.Run("Monitoring", c.testMonitoring)
	t.Run("OneNamespace", c.testOneNamespace)
	t.Run("WorkloadIdentity", c.testWorkloadIdentity)
	t.Run("Components", c.testComponents)
	t.Run("Egress", c.testEgress)
	t.Run("Pages", c.testPages)
}

// install installs the manifests.
func (c *cluster) install(t *testing.T) {
	t.Helper()
	c.Kubectl(t, "apply", "-k", ".")
	for _, k := range kinds() {
		for _, version := range k.versions() {
			c.waitServed(t, k, version)
		}
	}
}

func (c *cluster) testReapply(t *testing.T) {
	for line := range strings.Lines(c.Kubectl(t, "apply", "-k", ".")) {
		if !strings.HasSuffix(line, " unchanged\n") {
			t.Errorf("second kubectl apply: %s", line)
		}
	}
}

func (c *cluster) testCRDs(t *testing.T) {
	for _, k := range kinds() {
		crd := c.crd(t, k)

		var served []string
		for _, version := range slice(t, crd.Object, "spec", "versions") {
			served = append(served, version.(map[string]any)["name"].(string))
		}
		slices.Sort(served)
		if want := slices.Sorted(slices.Values(k.versions())); !slices.Equal(served, want) {
			t.Errorf("%s: versions are %q, want %q", k.name, served, want)
		}
		equal(t, k.name+": storedVersions", slice(t, crd.Object, "status", "storedVersions"), []any{k.storageVersion})

		for _, condition := range slice(t, crd.Object, "status", "conditions") {
			condition := condition.(map[string]any)
			// Established and NamesAccepted; any other type tells a fault, such as NonStructuralSchema.
			good := condition["type"] == "Established" || condition["type"] == "NamesAccepted"
			if !good || condition["status"] != "True" {
				t.Errorf("%s: condition %v", k.name, condition)
			}
		}
		if got := crd.GetAnnotations()["kustomize.toolkit.fluxcd.io/substitute"]; got != "disabled" {
			t.Errorf("%s: Flux's substitution is %q, want it disabled", k.name, got)
		}
	}
}

func (c *cluster) testSamples(t *testing.T) {
	c.Kubectl(t, "apply", "-f", "../hack/testdata/crds")
	c.Kubectl(t, "wait", "--for=condition=Established", "crd", "--all")
	namespace := c.namespace(t)
	files, err := os.ReadDir("samples")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		if file.Name() != "kustomization.yaml" {
			// An unknown field is an error.
			c.Kubectl(t, "apply", "--validate=strict", "-n", namespace, "-f", "samples/"+file.Name())
		}
	}
	for line := range strings.Lines(c.Kubectl(t, "apply", "-n", namespace, "-k", "samples")) {
		// Not "unchanged", which kubectl never says of stringData.
		if strings.HasSuffix(line, " created\n") {
			t.Errorf("samples/kustomization.yaml differs from the files: %s", line)
		}
	}
}

// testColumns looks at what "kubectl get" shows.
func (c *cluster) testColumns(t *testing.T) {
	namespace := c.namespace(t)
	for _, object := range readObjects(t, "testdata/full.yaml") {
		c.create(t, namespace, object)
	}
	withConditions := []string{"NAME", "AGE", "READY", "STATUS"}
	for _, k := range kinds() {
		for _, version := range k.versions() {
			want := withConditions
			if version == "v1beta3" {
				want = []string{"NAME", "AGE", "LAST", "DELIVERY", "RESULT"}
			}
			header, _, _ := strings.Cut(c.Kubectl(t, "get", k.in(version), "-n", namespace), "\n")
			if columns := strings.Fields(header); !slices.Equal(columns, want) {
				t.Errorf("%s in %s: columns are %q, want %q", k.name, version, columns, want)
			}
		}
	}
	names := c.Kubectl(t, "get", "fluxcd-notifications", "-n", namespace, "-o", "name")
	if got := strings.Count(names, "/full\n"); got != len(kinds()) {
		t.Errorf("category fluxcd-notifications holds %d of %d kinds:\n%s", got, len(kinds()), names)
	}
}

// testDeployment checks what only a real cluster would: whether the Pod is allowed and its ports are found.
func (c *cluster) testDeployment(t *testing.T) {
	template := c.Kubectl(t, "get", "deployment", "-n", "flux-system", "notification-controller",
		"-o", "jsonpath={.spec.template}")
	pod := parse(t, template)
	pod.SetAPIVersion("v1")
	pod.SetKind("Pod")
	pod.SetName("controller")

	namespace := c.namespace(t)
	c.Kubectl(t, "label", "namespace", namespace, "pod-security.kubernetes.io/enforce=restricted")
	if _, err := c.TryKubectl(toYAML(pod.Object), "create", "-n", namespace, "-f", "-"); err != nil {
		t.Errorf("refused by the strictest Pod security standard: %v", err)
	}

	labels := pod.GetLabels()
	ports := map[string]int64{}
	for _, port := range slice(t, slice(t, pod.Object, "spec", "containers")[0].(map[string]any), "ports") {
		port := port.(map[string]any)
		ports[port["name"].(string)] = port["containerPort"].(int64)
	}
	equal(t, "ports", ports, map[string]int64{"http": 9090, "http-webhook": 9292, "http-prom": 8080, "healthz": 9440})

	for service, want := range map[string]string{"notification-controller": "http", "webhook-receiver": "http-webhook"} {
		spec := parse(t, c.Kubectl(t, "get", "service", "-n", "flux-system", service, "-o", "jsonpath={.spec}")).Object
		port := slice(t, spec, "ports")[0].(map[string]any)
		equal(t, service+": targetPort", port["targetPort"], want)
		selector, _, _ := unstructured.NestedStringMap(spec, "selector")
		for key, value := range selector {
			equal(t, service+": selector "+key, labels[key], value)
		}
	}
}
