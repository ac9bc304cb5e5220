package manifests_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// waitFluxRights waits until the controller has the rights that Flux binds to the ServiceAccounts of its controllers, or
// has them no more. The others have to have them throughout.
func (c *cluster) waitFluxRights(t *testing.T, want bool) {
	t.Helper()
	makeTokens := authorizationv1.ResourceAttributes{Namespace: "team-a", Resource: "serviceaccounts/token", Verb: "create"}
	eventually(t, fmt.Sprintf("Flux's rights of the controller to be %t, those of the others to be true", want), func() error {
		for _, name := range []string{"kustomize-controller", "helm-controller", "source-controller", controllerName,
			"image-reflector-controller", "image-automation-controller", "source-watcher"} {
			got := c.allowed(t, "system:serviceaccount:"+controllerNamespace+":"+name, makeTokens)
			if got != (want || name != controllerName) {
				return fmt.Errorf("%s may make tokens: %t", name, got)
			}
		}
		return nil
	})
}

// testInPlaceOfFlux builds the component for a repository that Flux was bootstrapped with, and looks whether it takes
// Flux's rights from the controller, under either name of Flux's role and wherever the controller stands in the list.
func (c *cluster) testInPlaceOfFlux(t *testing.T) {
	const subject, last = "  - {kind: ServiceAccount, name: notification-controller, namespace: flux-system}\n",
		"  - {kind: ServiceAccount, name: source-watcher, namespace: flux-system}\n"
	flux := fluxManifest(t)
	for name, flux := range map[string]string{
		"as it is":              flux,
		"without the namespace": strings.ReplaceAll(flux, "crd-controller-flux-system", "crd-controller"),
		"at the end":            strings.Replace(strings.Replace(flux, subject, "", 1), last, last+subject, 1),
	} {
		t.Run(name, func(t *testing.T) {
			before, after := fluxRoles(t, flux), fluxRoles(t, c.kustomize(t, inPlaceOfFlux(t), flux))
			if strings.Count(before, "name: "+controllerName) != 1 {
				t.Fatalf("Flux is not as the test has it:\n%s", before)
			}
			c.Apply(t, before)
			c.waitFluxRights(t, true)
			c.Apply(t, after)
			c.waitFluxRights(t, false)
			c.Apply(t, before)
			c.waitFluxRights(t, true)
			if _, err := c.TryKubectl(before, "delete", "-f", "-"); err != nil {
				t.Fatal(err)
			}
		})
	}
}

// inPlaceOfFlux returns the kustomization.yaml that the page shows for a repository that Flux was bootstrapped with.
func inPlaceOfFlux(t *testing.T) string {
	t.Helper()
	blocks := apitest.Blocks(t, migrationPage, "yaml")
	i := slices.IndexFunc(blocks, func(b apitest.Block) bool { return strings.Contains(b.Text, "  - manifests/in-place-of-flux\n") })
	if i < 0 {
		t.Fatalf("%s does not show the component", migrationPage)
	}
	return blocks[i].Text
}

// fluxRoles returns what a manifest has of the role for all of Flux's controllers.
func fluxRoles(t *testing.T, manifest string) string {
	t.Helper()
	var found string
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		if object := parse(t, document); strings.HasPrefix(object.GetName(), "crd-controller") {
			found += document + "\n---\n"
		}
	}
	return found
}
