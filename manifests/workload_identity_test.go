package manifests_test

import (
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
)

// testWorkloadIdentity installs the component, which the tests before it have to have done without.
func (c *cluster) testWorkloadIdentity(t *testing.T) {
	c.Kubectl(t, "apply", "-k", "../hack/testdata/workload-identity")
	args := c.Kubectl(t, "get", "deployment", controllerName, "-n", controllerNamespace, "-o", "jsonpath={.spec.template.spec.containers[0].args}")
	if !strings.Contains(args, `"--enable-leader-election","--feature-gates=ObjectLevelWorkloadIdentity=true"`) {
		t.Errorf("the arguments are %s", args)
	}
	for _, right := range []authorizationv1.ResourceAttributes{
		{Resource: "serviceaccounts", Verb: "get"},
		{Resource: "serviceaccounts/token", Verb: "create"},
	} {
		right.Namespace = "team-a"
		c.checkAccess(t, controllerUser, true, right)
	}
	c.checkAccess(t, controllerUser, false, authorizationv1.ResourceAttributes{Namespace: "team-a", Resource: "serviceaccounts", Verb: "list"})
}
