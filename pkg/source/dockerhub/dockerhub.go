// Package dockerhub is the Receiver type "dockerhub": a push to a repository of Docker Hub. Docker Hub neither signs nor
// sends a secret: a webhook has a name and a URL, no more. https://docs.docker.com/docker-hub/repos/manage/webhooks/
package dockerhub

import "github.com/notification-controller/notification-controller/pkg/source"

// push is what has to be of the right type in the body.
type push struct {
	PushData struct {
		Tag string `json:"tag"`
	} `json:"push_data"`
	Repository struct {
		URL string `json:"repo_url"`
	} `json:"repository"`
}

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "dockerhub",
		Verifier: source.PathOnly[push](),
		Title:    "Docker Hub",
		Check:    "the webhook path, which is the credential; the body is that of a push",
	}
}
