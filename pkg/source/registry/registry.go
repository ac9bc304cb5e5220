// Package registry is the table of Receiver types. It is the only importer of their packages.
package registry

import (
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/acr"
	"github.com/notification-controller/notification-controller/pkg/source/azuredevops"
	"github.com/notification-controller/notification-controller/pkg/source/bitbucket"
	"github.com/notification-controller/notification-controller/pkg/source/cdevents"
	"github.com/notification-controller/notification-controller/pkg/source/dockerhub"
	"github.com/notification-controller/notification-controller/pkg/source/gcr"
	"github.com/notification-controller/notification-controller/pkg/source/generic"
	"github.com/notification-controller/notification-controller/pkg/source/generichmac"
	"github.com/notification-controller/notification-controller/pkg/source/genericoidc"
	"github.com/notification-controller/notification-controller/pkg/source/github"
	"github.com/notification-controller/notification-controller/pkg/source/gitlab"
	"github.com/notification-controller/notification-controller/pkg/source/harbor"
	"github.com/notification-controller/notification-controller/pkg/source/jfrog"
	"github.com/notification-controller/notification-controller/pkg/source/nexus"
	"github.com/notification-controller/notification-controller/pkg/source/quay"
	"github.com/notification-controller/notification-controller/pkg/source/sns"
	"github.com/notification-controller/notification-controller/pkg/source/standardwebhooks"
)

// Types is the table, in order of its documentation.
func Types() []source.Type {
	return []source.Type{
		generic.Type(),
		generichmac.Type(),
		genericoidc.Type(time.Now),
		github.Type(),
		gitlab.Type(time.Now),
		bitbucket.Type(),
		harbor.Type(),
		dockerhub.Type(),
		quay.Type(),
		gcr.Type(time.Now),
		nexus.Type(),
		acr.Type(),
		cdevents.Type(),
		standardwebhooks.Type(time.Now),
		azuredevops.Type(),
		jfrog.Type(),
		sns.Type(time.Now),
	}
}

// Registry finds types by name.
type Registry struct{ byName map[string]source.Type }

// New returns a registry of all types.
func New() *Registry {
	r := &Registry{byName: map[string]source.Type{}}
	for _, t := range Types() {
		r.byName[t.Name] = t
	}
	return r
}

// Lookup returns the type with this spec.type.
func (r *Registry) Lookup(name string) (source.Type, bool) {
	t, ok := r.byName[name]
	return t, ok
}
