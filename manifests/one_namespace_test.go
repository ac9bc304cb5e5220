package manifests_test

import (
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// testOneNamespace reads what the component makes of the manifests: a Role with the rules of the ClusterRole, which is
// gone. pkg/app has a test that runs with it.
func (c *cluster) testOneNamespace(t *testing.T) {
	ofKind := func(folder string) map[string]*unstructured.Unstructured {
		found := map[string]*unstructured.Unstructured{}
		for document := range strings.SplitSeq(c.Kubectl(t, "kustomize", folder), "\n---\n") {
			object := parse(t, document)
			if object.GetName() == controllerName {
				found[object.GetKind()] = object
			}
		}
		return found
	}
	everywhere, here := ofKind("."), ofKind("../hack/testdata/one-namespace")
	for _, kind := range []string{"ClusterRole", "ClusterRoleBinding"} {
		if everywhere[kind] == nil || here[kind] != nil {
			t.Errorf("%s: with the component %v", kind, here[kind])
		}
	}
	role, binding := here["Role"], here["RoleBinding"]
	if role == nil || binding == nil {
		t.Fatal("there is no Role, or nothing that binds it")
	}
	var want []any
	for _, rule := range slice(t, everywhere["ClusterRole"].Object, "rules") {
		if rule.(map[string]any)["nonResourceURLs"] == nil {
			want = append(want, rule)
		}
	}
	equal(t, "rules", slice(t, role.Object, "rules"), want)
	equal(t, "subjects", slice(t, binding.Object, "subjects"), slice(t, everywhere["ClusterRoleBinding"].Object, "subjects"))

	args := func(objects map[string]*unstructured.Unstructured) []any {
		containers := slice(t, objects["Deployment"].Object, "spec", "template", "spec", "containers")
		return slice(t, containers[0].(map[string]any), "args")
	}
	want = args(everywhere)
	want[0] = "--watch-all-namespaces=false"
	equal(t, "args", args(here), want)
}
