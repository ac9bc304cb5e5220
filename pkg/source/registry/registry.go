// Package registry is the table of Receiver types. It is the only importer of their packages.
package registry

import (
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/generic"
	"github.com/notification-controller/notification-controller/pkg/source/generichmac"
	"github.com/notification-controller/notification-controller/pkg/source/github"
)

// Types is the table, in order of its documentation.
func Types() []source.Type {
	return []source.Type{
		generic.Type(),
		generichmac.Type(),
		github.Type(),
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
