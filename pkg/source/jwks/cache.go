// Package jwks keeps the public keys of those who sign tokens: JSON Web Key Sets (RFC 7517), at a fixed address or found
// by OpenID Connect Discovery. Nobody can make it ask for them more often than it wants to.
package jwks

import (
	"context"
	"maps"
	"net/http"
	"sync"
	"time"

	"github.com/go-jose/go-jose/v4"
)

// idleAfter is how long a key set is kept that nobody asks for: Receivers come and go.
const idleAfter = 24 * time.Hour

// Cache holds one key set for each issuer, whichever Receivers name it. It is safe for concurrent use.
type Cache struct {
	client *http.Client
	now    func() time.Time

	mu   sync.Mutex
	sets map[string]*entry
}

type entry struct {
	set  *Set
	used time.Time
}

// NewCache returns an empty cache that fetches with client.
func NewCache(client *http.Client, now func() time.Time) *Cache {
	return &Cache{client: client, now: now, sets: map[string]*entry{}}
}

// Issuer returns the key set that the discovery document of an issuer names.
func (c *Cache) Issuer(issuer string) *Set {
	return c.set("issuer "+issuer, func(ctx context.Context) (*keys, error) { return discover(ctx, c.client, issuer) })
}

// At returns the key set at an address, for signatures with one algorithm.
func (c *Cache) At(address string, algorithm jose.SignatureAlgorithm) *Set {
	return c.set("address "+address, func(ctx context.Context) (*keys, error) {
		found, err := fetchKeys(ctx, c.client, address)
		return &keys{keys: found, algorithms: []jose.SignatureAlgorithm{algorithm}}, err
	})
}

func (c *Cache) set(name string, fetch func(context.Context) (*keys, error)) *Set {
	now := c.now()
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.sets[name]
	if !ok {
		maps.DeleteFunc(c.sets, func(_ string, e *entry) bool { return now.Sub(e.used) > idleAfter })
		e = &entry{set: &Set{fetch: fetch, now: c.now}}
		c.sets[name] = e
	}
	e.used = now
	return e.set
}
