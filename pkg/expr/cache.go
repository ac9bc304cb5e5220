// Package expr compiles the expressions in specs, once for each edit.
package expr

import (
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Cache keeps what is built from an object until the object changes. It is safe for concurrent use.
type Cache[T any] struct {
	mu      sync.RWMutex
	entries map[types.UID]entry[T]
}

type entry[T any] struct {
	version Version
	value   T
}

// Version tells two states of an object apart: its generation and, where the value depends on them, the
// resourceVersions of Secrets.
type Version struct {
	Generation int64
	Secrets    string
}

// NewCache returns an empty cache.
func NewCache[T any]() *Cache[T] { return &Cache[T]{entries: map[types.UID]entry[T]{}} }

// Get returns what build made of this state of the object, building it if it has not been built yet. Two callers
// that come at the same time may both build; the state that is asked for is always the one that is returned.
func (c *Cache[T]) Get(obj metav1.Object, secrets string, build func() T) T {
	want := Version{Generation: obj.GetGeneration(), Secrets: secrets}
	c.mu.RLock()
	have, ok := c.entries[obj.GetUID()]
	c.mu.RUnlock()
	if ok && have.version == want {
		return have.value
	}
	built := entry[T]{version: want, value: build()}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.entries[obj.GetUID()] = built
	return built.value
}

// Drop forgets an object that is gone.
func (c *Cache[T]) Drop(uid types.UID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.entries, uid)
}

// Len is the number of objects in the cache.
func (c *Cache[T]) Len() int {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return len(c.entries)
}
