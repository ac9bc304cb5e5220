// Package quay is the Receiver type "quay": the notification "push to repository" of Quay, which neither signs nor sends
// a secret. https://docs.quay.io/guides/notifications.html
package quay

import "github.com/notification-controller/notification-controller/pkg/source"

// push is what has to be of the right type in the body.
type push struct {
	DockerURL   string   `json:"docker_url"`
	UpdatedTags []string `json:"updated_tags"`
}

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "quay",
		Verifier: source.PathOnly[push](),
		Title:    "Quay",
		Check:    "the webhook path, which is the credential; the body is that of a push",
	}
}
