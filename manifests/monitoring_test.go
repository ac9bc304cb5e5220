package manifests_test

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// testMonitoring builds the component and looks whether what it says of the Deployment is so. Nobody here knows its kinds.
func (c *cluster) testMonitoring(t *testing.T) {
	built := map[string]*unstructured.Unstructured{}
	for document := range strings.SplitSeq(c.Kubectl(t, "kustomize", "../hack/testdata/monitoring"), "\n---\n") {
		object := parse(t, document)
		built[object.GetKind()] = object
	}
	for _, kind := range []string{"PodMonitor", "PrometheusRule", "ConfigMap"} {
		if built[kind] == nil {
			t.Fatalf("the component has no %s", kind)
		}
		equal(t, "namespace of the "+kind, built[kind].GetNamespace(), controllerNamespace)
	}

	labels, _, _ := unstructured.NestedStringMap(built["Deployment"].Object, "spec", "template", "metadata", "labels")
	selector, _, _ := unstructured.NestedStringMap(built["PodMonitor"].Object, "spec", "selector", "matchLabels")
	for key, value := range selector {
		equal(t, "PodMonitor: selector "+key, labels[key], value)
	}
	container := slice(t, built["Deployment"].Object, "spec", "template", "spec", "containers")[0].(map[string]any)
	port := slice(t, built["PodMonitor"].Object, "spec", "podMetricsEndpoints")[0].(map[string]any)["port"]
	if !slices.ContainsFunc(slice(t, container, "ports"), func(p any) bool { return p.(map[string]any)["name"] == port }) {
		t.Errorf("PodMonitor: the Pods have no port %v", port)
	}
	if dashboard, _, _ := unstructured.NestedString(built["ConfigMap"].Object, "data", "notification-controller.json"); !strings.Contains(dashboard, `"panels"`) {
		t.Error("the ConfigMap has no dashboard")
	}
}
