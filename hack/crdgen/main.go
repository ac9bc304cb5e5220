// Command crdgen writes the CustomResourceDefinitions from the Go types in pkg/apis.
//
// The Go types describe the storage version of each kind. The older versions, which have no Go types, are derived
// from it; see addOlderVersions.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func main() {
	root := flag.String("root", "../..", "folder of the module with the Go types")
	out := flag.String("out", "", "folder to write to; manifests/crd of the root if empty")
	flag.Parse()
	if *out == "" {
		*out = filepath.Join(*root, "manifests", "crd")
	}
	if err := run(*root, *out); err != nil {
		fmt.Fprintf(os.Stderr, "crdgen: %v\n", err)
		os.Exit(1)
	}
}

// run writes one file for each kind to the folder out.
func run(root, out string) error {
	crds, err := fromTypes(root)
	if err != nil {
		return fmt.Errorf("read the Go types: %w", err)
	}
	if err := addOlderVersions(crds); err != nil {
		return fmt.Errorf("derive the older versions: %w", err)
	}
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, crd := range crds {
		name := fmt.Sprintf("%s_%s.yaml", crd.Spec.Group, crd.Spec.Names.Plural)
		if err := write(filepath.Join(out, name), crd); err != nil {
			return fmt.Errorf("write %s: %w", name, err)
		}
	}
	return nil
}

// write writes crd as YAML, its fields sorted by name so that the same types always give the same file.
func write(path string, crd *apiextensionsv1.CustomResourceDefinition) error {
	// The type itself has a status too, which is the API server's to write.
	content, err := yaml.Marshal(struct {
		APIVersion string                                       `json:"apiVersion"`
		Kind       string                                       `json:"kind"`
		Metadata   metav1.ObjectMeta                            `json:"metadata"`
		Spec       apiextensionsv1.CustomResourceDefinitionSpec `json:"spec"`
	}{
		APIVersion: apiextensionsv1.SchemeGroupVersion.String(),
		Kind:       "CustomResourceDefinition",
		Metadata:   crd.ObjectMeta,
		Spec:       crd.Spec,
	})
	if err != nil {
		return err
	}
	header := "# Written by hack/update-crds.sh from the types in pkg/apis. Do not edit.\n---\n"
	return os.WriteFile(path, append([]byte(header), content...), 0o644)
}
