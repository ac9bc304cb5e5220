package manifests_test

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// testPages has the API server judge every YAML block on every page of this repository: objects as they are, and what
// is for kustomize as it builds it.
func (c *cluster) testPages(t *testing.T) {
	c.Kubectl(t, "apply", "-f", "../hack/testdata/crds")
	c.Kubectl(t, "wait", "--for=condition=Established", "crd", "--all")
	for _, page := range pages(t) {
		for _, block := range apitest.Blocks(t, page, "yaml") {
			t.Run(fmt.Sprintf("%s:%d", page, block.Line), func(t *testing.T) {
				manifest := block.Text
				if !strings.Contains("\n"+manifest, "\napiVersion: ") {
					t.Skip("not for Kubernetes")
				}
				if strings.Contains(manifest, "kind: Kustomization\n") && strings.Contains(manifest, "kustomize.config.k8s.io") {
					manifest = c.kustomize(t, manifest, fluxManifest(t))
				}
				c.createNamespaces(t, manifest)
				if err := c.DryRun(manifest); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// pages returns the paths of all Markdown files of this repository.
func pages(t *testing.T) []string {
	t.Helper()
	var paths []string
	err := filepath.WalkDir("..", func(path string, entry fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(path, ".md") {
			paths = append(paths, path)
		}
		return err
	})
	if err != nil || len(paths) == 0 {
		t.Fatalf("found the pages %q: %v", paths, err)
	}
	return paths
}

// kustomize builds a kustomization.yaml in a folder where this one lies, and flux, the manifest of Flux.
func (c *cluster) kustomize(t *testing.T, kustomization, flux string) string {
	t.Helper()
	dir := t.TempDir()
	manifests, err := filepath.Abs(".")
	if err == nil {
		err = os.Symlink(manifests, filepath.Join(dir, "manifests"))
	}
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string]string{
		"kustomization.yaml":   kustomization,
		"gotk-components.yaml": flux,
		"gotk-sync.yaml":       "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: sync, namespace: flux-system}\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return c.Kubectl(t, "kustomize", dir)
}

// createNamespaces creates the namespaces that the objects of a manifest are in.
func (c *cluster) createNamespaces(t *testing.T, manifest string) {
	t.Helper()
	for document := range strings.SplitSeq(manifest, "\n---\n") {
		name := parse(t, document).GetNamespace()
		if name != "" && c.Kubectl(t, "get", "namespace", name, "--ignore-not-found", "-o", "name") == "" {
			c.Kubectl(t, "create", "namespace", name)
		}
	}
}
