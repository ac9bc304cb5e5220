package identity

import (
	"context"
	"crypto/sha256"
	"errors"
	"sync"
	"time"

	"k8s.io/utils/lru"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// keptShare is the part of its lifetime for which a token is kept: with the rest, a request that starts with it ends.
const keptShare = 0.8

// digest stands for a key, which may hold secrets.
type digest [sha256.Size]byte

// cache keeps tokens, and has each fetched once however many ask for it at a time. It is safe for concurrent use.
type cache struct {
	limit    int
	maxAge   time.Duration
	observer Observer

	mu sync.Mutex
	// tokens is nil if none are kept.
	tokens *lru.Cache
	calls  map[digest]*call
}

// kept is a token in the cache.
type kept struct {
	token        provider.Token
	since, until time.Time
}

// call is a request for a token that is under way.
type call struct {
	done  chan struct{}
	token provider.Token
	err   error
	// cut says that it failed when the time of whoever made it was over.
	cut bool
}

func newCache(limit int, maxAge time.Duration, observer Observer) *cache {
	c := &cache{limit: limit, maxAge: maxAge, observer: observer, calls: map[digest]*call{}}
	if limit > 0 {
		c.tokens = lru.New(limit)
	}
	return c
}

func (c *cache) len() int {
	if c.tokens == nil {
		return 0
	}
	return c.tokens.Len()
}

// get returns the token that is kept, or the one that fetch gets.
func (c *cache) get(ctx context.Context, p provider.Object, key string, fetch func(context.Context) (provider.Token, error)) (provider.Token, error) {
	sum := digest(sha256.Sum256([]byte(key)))
	first := true
	for {
		token, under, mine := c.look(sum)
		if first {
			c.observer.ObserveToken(p, under == nil)
			first = false
		}
		switch {
		case under == nil:
			return token, nil
		case mine:
			c.run(ctx, sum, under, fetch)
			return under.token, under.err
		}
		select {
		case <-under.done:
		case <-ctx.Done():
			return provider.Token{}, provider.Transientf(provider.ReasonTimeout, "no access token in time: %w", ctx.Err())
		}
		// Whoever made the call may have had less time left.
		if !under.cut {
			return under.token, under.err
		}
	}
}

// look returns the token that is kept, or else the call that gets it, and whether that is the caller's to make.
func (c *cache) look(sum digest) (token provider.Token, under *call, mine bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.tokens != nil {
		if found, ok := c.tokens.Get(sum); ok {
			if k, ok := found.(kept); ok && time.Now().Before(k.until) {
				return k.token, nil, false
			}
			c.tokens.Remove(sum)
		}
		if under, ok := c.calls[sum]; ok {
			return provider.Token{}, under, false
		}
	}
	under = &call{done: make(chan struct{})}
	if c.tokens != nil {
		c.calls[sum] = under
	}
	return provider.Token{}, under, true
}

// run makes a call and keeps what it gets. Those who wait are released even if fetch panics.
func (c *cache) run(ctx context.Context, sum digest, under *call, fetch func(context.Context) (provider.Token, error)) {
	under.err = errors.New("the request for an access token panicked")
	defer func() {
		c.observer.ObserveTokenRequest(under.err == nil)
		// The error need not tell: it may have been masked.
		under.cut = under.err != nil && ctx.Err() != nil
		c.mu.Lock()
		defer c.mu.Unlock()
		delete(c.calls, sum)
		if under.err == nil {
			c.keep(sum, under.token)
		}
		close(under.done)
	}()
	under.token, under.err = fetch(ctx)
}

// keep keeps a token for most of its lifetime. One that does not say how long it lives is not kept. The mutex is held.
func (c *cache) keep(sum digest, token provider.Token) {
	lifetime := time.Duration(float64(time.Until(token.Expires)) * keptShare)
	if c.tokens == nil || token.Expires.IsZero() || lifetime <= 0 {
		return
	}
	if c.tokens.Len() >= c.limit {
		c.observer.ObserveTokenEviction()
	}
	now := time.Now()
	c.tokens.Add(sum, kept{token, now, now.Add(min(lifetime, c.maxAge))})
}

// forget drops a token unless another has already taken its place.
func (c *cache) forget(key, token string) {
	c.drop(key, func(k kept) bool { return k.token.Value == token })
}

// minForgetAge is how old a token has to be that is dropped without being named.
const minForgetAge = time.Minute

// forgetOld drops a token that is not new.
func (c *cache) forgetOld(key string) {
	c.drop(key, func(k kept) bool { return time.Since(k.since) >= minForgetAge })
}

// drop drops the token of the key if it is such a one.
func (c *cache) drop(key string, such func(kept) bool) {
	if c.tokens == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	sum := digest(sha256.Sum256([]byte(key)))
	if found, ok := c.tokens.Get(sum); ok {
		if k, ok := found.(kept); ok && such(k) {
			c.tokens.Remove(sum)
		}
	}
}
