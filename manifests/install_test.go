package manifests_test

import (
	"os"
	"strings"
	"testing"
)

// TestInstall applies install.yaml to an empty cluster as server-side apply does it, and then again.
func TestInstall(t *testing.T) {
	c := start(t)
	content, err := os.ReadFile("install.yaml")
	if err != nil {
		t.Fatal(err)
	}
	comment, objects, _ := strings.Cut(string(content), "\n")
	if !strings.HasPrefix(comment, "# ") || objects != c.Kubectl(t, "kustomize", ".") {
		t.Error("install.yaml is not what kustomization.yaml builds; run: make manifests")
	}

	versions := func() string {
		return c.Kubectl(t, "get", "-f", "install.yaml", "-o",
			`jsonpath={range .items[*]}{.kind}/{.metadata.name} {.metadata.generation} {.metadata.managedFields[*].manager}{"\n"}{end}`)
	}
	c.Kubectl(t, "apply", "--server-side", "--validate=strict", "-f", "install.yaml")
	c.Kubectl(t, "wait", "--for=condition=Established", "crd", "--all")
	first := versions()
	c.Kubectl(t, "apply", "--server-side", "--validate=strict", "-f", "install.yaml")
	if second := versions(); second != first {
		t.Errorf("a second server-side apply changes\n%sto\n%s", first, second)
	}
	// Nor does whoever applies the folder find anything to do.
	for line := range strings.Lines(c.Kubectl(t, "diff", "-k", ".")) {
		t.Errorf("kubectl diff -k: %s", line)
	}
}

// testComponents installs the components that are not part of the installation, which the tests before it have to have
// done without.
func (c *cluster) testComponents(t *testing.T) {
	c.Kubectl(t, "apply", "-k", "../hack/testdata/components")
	get := func(path string, args ...string) string {
		return c.Kubectl(t, append([]string{"get", "-n", controllerNamespace, "-o", "jsonpath=" + path}, args...)...)
	}
	equal(t, "replicas", get("{.spec.replicas}", "deployment", controllerName), "2")
	equal(t, "keys to spread by", get("{.spec.template.spec.topologySpreadConstraints[*].topologyKey}", "deployment", controllerName),
		"kubernetes.io/hostname topology.kubernetes.io/zone")
	if args := get("{.spec.template.spec.containers[0].args}", "deployment", controllerName); !strings.Contains(args, `"--enable-leader-election"`) {
		t.Errorf("two replicas without leader election: %s", args)
	}
	selector := get("{.spec.selector.matchLabels}", "deployment", controllerName)
	equal(t, "selector of the PodDisruptionBudget", get("{.spec.selector.matchLabels}", "pdb", controllerName), selector)
	equal(t, "selector to spread by", get("{.spec.template.spec.topologySpreadConstraints[0].labelSelector.matchLabels}", "deployment", controllerName), selector)

	ports := get("{.spec.egress[*].ports[*].port}", "networkpolicy", controllerName+"-events")
	equal(t, "ports that may be connected to", ports, "53 53 443 6443")
	for rules := range strings.Lines(c.Kubectl(t, "get", "networkpolicies", "-n", controllerNamespace, "-o",
		`jsonpath={range .items[*]}{.metadata.name} {.spec.egress}{"\n"}{end}`)) {
		if strings.Contains(rules, "{}") {
			t.Errorf("may connect to anything: %s", rules)
		}
	}
}
