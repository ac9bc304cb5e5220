// Package acr is the Receiver type "acr": webhooks of Azure Container Registry, which sends no headers but those that
// its user gives it. https://learn.microsoft.com/en-us/azure/container-registry/container-registry-webhook-reference
package acr

import "github.com/notification-controller/notification-controller/pkg/source"

// push is what has to be of the right type in the body.
type push struct {
	Action string `json:"action"`
	Target struct {
		Repository string `json:"repository"`
		Tag        string `json:"tag"`
	} `json:"target"`
}

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "acr",
		Verifier: source.PathOnly[push](),
		Title:    "Azure Container Registry",
		Check:    "the webhook path, which is the credential; the body is that of a push",
	}
}
