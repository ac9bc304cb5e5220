// Package registry is the table of all types of Provider, the only place that knows each of them.
package registry

import "github.com/notification-controller/notification-controller/pkg/provider"

// Registry finds a type of Provider by its name.
type Registry struct{ types map[string]provider.Type }

// New returns a Registry of all [Types].
func New() *Registry {
	types := map[string]provider.Type{}
	for _, row := range Types() {
		types[row.Name] = row
	}
	return &Registry{types}
}

// Lookup returns the type with the given name, as in spec.type of a Provider.
func (r *Registry) Lookup(name string) (provider.Type, bool) {
	row, ok := r.types[name]
	return row, ok
}
