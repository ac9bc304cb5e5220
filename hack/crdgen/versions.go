package main

import (
	"fmt"
	"maps"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
)

const receiverKind = "Receiver"

// addOlderVersions adds the versions v1beta2 and v1beta1 to each CRD.
//
// They keep the manifests, stored objects and managed fields of past years valid. The API server converts between
// versions by changing the apiVersion alone, and drops each field that a version does not declare. So every version
// declares the fields of all, and allows in a field what any of them ever allowed.
func addOlderVersions(crds []*apiextensionsv1.CustomResourceDefinition) error {
	status, err := olderStatus(crds)
	if err != nil {
		return err
	}
	for _, crd := range crds {
		storage := crd.Spec.Versions[0]
		for _, name := range []string{"v1beta2", "v1beta1"} {
			older := olderVersion(crd.Spec.Names.Kind, name, storage)
			schema := older.Schema.OpenAPIV3Schema
			if crd.Spec.Names.Kind == receiverKind {
				// This default came with v1. In the older versions an interval that is not set stays so.
				spec := schema.Properties["spec"].Properties
				interval := spec["interval"]
				interval.Default = nil
				spec["interval"] = interval
			} else {
				schema.Properties["status"] = withFields(status.DeepCopy(), schema.Properties["status"].Properties)
			}
			crd.Spec.Versions = append(crd.Spec.Versions, older)
		}
	}
	return nil
}

// withFields adds fields to status: those of the storage version, which an edit through an older one is not to drop.
func withFields(status *apiextensionsv1.JSONSchemaProps, fields map[string]apiextensionsv1.JSONSchemaProps) apiextensionsv1.JSONSchemaProps {
	maps.Copy(status.Properties, fields)
	return *status
}

// crdVersion is a version of a kind.
type crdVersion = apiextensionsv1.CustomResourceDefinitionVersion

// olderVersion returns the version called name of a kind with the given storage version.
func olderVersion(kind, name string, storage crdVersion) crdVersion {
	older := *storage.DeepCopy()
	warning := fmt.Sprintf("%s %s is deprecated, upgrade to %s", name, kind, storage.Name)
	older.Name = name
	older.Storage = false
	older.Deprecated = true
	older.DeprecationWarning = &warning
	older.AdditionalPrinterColumns = olderColumns()
	// The rules came with the storage versions; the controller checks them itself too.
	removeRules(older.Schema.OpenAPIV3Schema)
	return older
}

// olderColumns returns what "kubectl get" shows of every kind in the older versions, where all had conditions.
func olderColumns() []apiextensionsv1.CustomResourceColumnDefinition {
	return []apiextensionsv1.CustomResourceColumnDefinition{
		{Name: "Age", Type: "date", JSONPath: ".metadata.creationTimestamp"},
		{Name: "Ready", Type: "string", JSONPath: `.status.conditions[?(@.type=="Ready")].status`},
		{Name: "Status", Type: "string", JSONPath: `.status.conditions[?(@.type=="Ready")].message`},
	}
}

// olderStatus returns the status that Alerts and Providers had in the older versions: a Receiver's without the fields
// about its webhook. The storage version does not have these, so they are never stored; they are declared for clients that
// write them. It has no default, or clients that wait for an observed generation would wait for ever.
func olderStatus(crds []*apiextensionsv1.CustomResourceDefinition) (*apiextensionsv1.JSONSchemaProps, error) {
	for _, crd := range crds {
		if crd.Spec.Names.Kind != receiverKind {
			continue
		}
		receiver := crd.Spec.Versions[0].Schema.OpenAPIV3Schema.DeepCopy()
		status := receiver.Properties["status"]
		status.Description = "All but lastDelivery is accepted for compatibility and not stored."
		status.Default = nil
		delete(status.Properties, "url")
		delete(status.Properties, "webhookPath")
		delete(status.Properties, "previousWebhookPath")
		return &status, nil
	}
	return nil, fmt.Errorf("no kind %s, whose status the older versions of the other kinds share", receiverKind)
}

// removeRules removes the CEL rules from schema and all that it holds.
func removeRules(schema *apiextensionsv1.JSONSchemaProps) {
	schema.XValidations = nil
	for name, field := range schema.Properties {
		removeRules(&field)
		schema.Properties[name] = field
	}
	if schema.Items != nil {
		removeRules(schema.Items.Schema)
	}
}
