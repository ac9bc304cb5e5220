// Package v1beta3 is the storage version of the Alert and Provider kinds.
//
// Older versions of the API are served by the API server with the same schema (see hack/crdgen); only this one has
// Go types and a client.
//
// +k8s:deepcopy-gen=package
// +kubebuilder:object:generate=true
// +groupName=notification.toolkit.fluxcd.io
package v1beta3
