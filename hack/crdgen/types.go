package main

import (
	"errors"
	"fmt"
	"path/filepath"
	"runtime/debug"
	"slices"

	gopackages "golang.org/x/tools/go/packages"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"sigs.k8s.io/controller-tools/pkg/crd"
	crdmarkers "sigs.k8s.io/controller-tools/pkg/crd/markers"
	"sigs.k8s.io/controller-tools/pkg/loader"
	"sigs.k8s.io/controller-tools/pkg/markers"
)

const (
	generatorModule = "sigs.k8s.io/controller-tools"

	// generatorAnnotation tells which release of the generator wrote a CRD.
	generatorAnnotation = "controller-gen.kubebuilder.io/version"
	// substituteAnnotation keeps Flux's variable substitution away from the "$" of the schemas' patterns.
	substituteAnnotation = "kustomize.toolkit.fluxcd.io/substitute"
)

// fromTypes returns the CRDs of all kinds in pkg/apis of the module at root, each with its storage version alone.
func fromTypes(root string) ([]*apiextensionsv1.CustomResourceDefinition, error) {
	generator, err := generatorVersion()
	if err != nil {
		return nil, err
	}
	parser, packages, err := parse(root)
	if err != nil {
		return nil, err
	}
	metav1 := crd.FindMetav1(packages)
	if metav1 == nil {
		return nil, fmt.Errorf("no package in %s uses metav1", root)
	}
	kinds := crd.FindKubeKinds(parser, metav1)
	if len(kinds) == 0 {
		return nil, fmt.Errorf("no kinds found in %s", root)
	}

	var crds []*apiextensionsv1.CustomResourceDefinition
	for _, kind := range kinds {
		parser.NeedCRDFor(kind, nil)
		definition := parser.CustomResourceDefinitions[kind]
		if n := len(definition.Spec.Versions); n != 1 {
			return nil, fmt.Errorf("%s has %d versions with Go types, want its storage version alone", kind.Kind, n)
		}
		// The API server accepts no schema of its own metadata.
		crd.FixTopLevelMetadata(definition)
		definition.Spec.Conversion = &apiextensionsv1.CustomResourceConversion{Strategy: apiextensionsv1.NoneConverter}
		definition.Annotations = map[string]string{
			generatorAnnotation:  generator,
			substituteAnnotation: "disabled",
		}
		crds = append(crds, &definition)
	}
	// The parser returns no errors but hangs them on the packages. Type errors come from its partial type check.
	if loader.PrintErrors(packages, gopackages.TypeError) {
		return nil, errors.New("see above")
	}
	return crds, nil
}

// parse reads the packages of the API group below root.
func parse(root string) (*crd.Parser, []*loader.Package, error) {
	root, err := filepath.Abs(root)
	if err != nil {
		return nil, nil, err
	}
	packages, err := loader.LoadRoots(filepath.Join(root, "pkg", "apis") + "/...")
	if err != nil {
		return nil, nil, err
	}
	registry := &markers.Registry{}
	if err := crdmarkers.Register(registry); err != nil {
		return nil, nil, err
	}
	parser := &crd.Parser{
		Collector: &markers.Collector{Registry: registry},
		Checker:   &loader.TypeChecker{NodeFilters: []loader.NodeFilter{crd.Generator{}.CheckFilter()}},
	}
	crd.AddKnownTypes(parser)
	for _, p := range packages {
		parser.NeedPackage(p)
	}
	return parser, packages, nil
}

// generatorVersion returns the version of the generator that is built into this program.
func generatorVersion() (string, error) {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "", errors.New("this program was built without module support")
	}
	i := slices.IndexFunc(info.Deps, func(m *debug.Module) bool { return m.Path == generatorModule })
	if i < 0 {
		return "", fmt.Errorf("this program was built without %s", generatorModule)
	}
	return info.Deps[i].Version, nil
}
