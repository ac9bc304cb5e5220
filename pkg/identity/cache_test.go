package identity

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// counts is an Observer that counts.
type counts struct {
	mu                                 sync.Mutex
	hits, misses, got, failed, evicted int
}

func (c *counts) ObserveToken(_ provider.Object, kept bool) { c.add(kept, &c.hits, &c.misses) }
func (c *counts) ObserveTokenRequest(ok bool)               { c.add(ok, &c.got, &c.failed) }
func (c *counts) ObserveTokenEviction()                     { c.add(true, &c.evicted, nil) }

func (c *counts) add(yes bool, one, other *int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if yes {
		*one++
	} else {
		*other++
	}
}

func TestTokenIsFetchedOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		observer := &counts{}
		c := newCache(10, time.Hour, observer)
		var fetches atomic.Int32
		fetch := func(context.Context) (provider.Token, error) {
			time.Sleep(time.Second)
			n := fetches.Add(1)
			return provider.Token{Value: fmt.Sprint("token ", n), Expires: time.Now().Add(10 * time.Minute)}, nil
		}
		all := func(want string) {
			var wg sync.WaitGroup
			for range 20 {
				wg.Go(func() {
					if token, err := c.get(t.Context(), provider.Object{}, "key", fetch); err != nil || token.Value != want {
						t.Errorf("got %q, %v, want %q", token.Value, err, want)
					}
				})
			}
			wg.Wait()
		}
		all("token 1")
		all("token 1")
		// 80 % of ten minutes.
		time.Sleep(8*time.Minute + time.Second)
		all("token 2")
		c.forget("key", "token 1")
		all("token 2")
		c.forget("key", "token 2")
		all("token 3")
		if observer.hits != 40 || observer.misses != 60 || observer.got != 3 || observer.failed != 0 {
			t.Errorf("%+v", observer)
		}
	})
}

func TestTokenLifetime(t *testing.T) {
	for name, test := range map[string]struct {
		limit    int
		lifetime time.Duration
		// kept is for how long; 0 not at all.
		kept time.Duration
	}{
		"80 %":           {1, 100 * time.Second, 80 * time.Second},
		"at most maxAge": {1, 10 * time.Hour, time.Hour},
		"not kept":       {0, time.Hour, 0},
		"expired":        {1, -time.Second, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCache(test.limit, time.Hour, nobody{})
				fetches := 0
				get := func() {
					_, err := c.get(t.Context(), provider.Object{}, "key", func(context.Context) (provider.Token, error) {
						fetches++
						return provider.Token{Value: "token", Expires: time.Now().Add(test.lifetime)}, nil
					})
					if err != nil {
						t.Error(err)
					}
				}
				get()
				time.Sleep(max(test.kept-time.Second, 0))
				get()
				if want := 1; test.kept > 0 && fetches != want || test.kept == 0 && fetches != 2 {
					t.Errorf("%d fetches before %s", fetches, test.kept)
				}
				time.Sleep(time.Second)
				get()
				if want := 2; test.kept > 0 && fetches != want {
					t.Errorf("%d fetches after %s", fetches, test.kept)
				}
			})
		})
	}
}

func TestTokenOfUnknownLifetimeIsNotKept(t *testing.T) {
	c := newCache(1, time.Hour, nobody{})
	if _, err := c.get(t.Context(), provider.Object{}, "key", func(context.Context) (provider.Token, error) {
		return provider.Token{Value: "token"}, nil
	}); err != nil || c.len() != 0 {
		t.Errorf("%d kept, %v", c.len(), err)
	}
}

// TestTokenFailure checks that a failure is everybody's, but for that of a caller who had no time left.
func TestTokenFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCache(1, time.Hour, nobody{})
		fetch := func(ctx context.Context) (provider.Token, error) {
			select {
			case <-ctx.Done():
				// As exchanges return it: masked, and without what it was made of.
				return provider.Token{}, provider.NewRedactor("secret").Error(provider.Transientf(provider.ReasonTimeout, "no answer: %w", ctx.Err()))
			case <-time.After(5 * time.Second):
				return provider.Token{Value: "token", Expires: time.Now().Add(time.Hour)}, nil
			}
		}
		hasty, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		var wg sync.WaitGroup
		wg.Go(func() {
			if _, err := c.get(hasty, provider.Object{}, "key", fetch); err == nil {
				t.Error("no error")
			}
		})
		synctest.Wait()
		impatient, stop := context.WithTimeout(t.Context(), 500*time.Millisecond)
		defer stop()
		wg.Go(func() {
			if _, err := c.get(impatient, provider.Object{}, "key", fetch); provider.Classify(err).Reason != provider.ReasonTimeout {
				t.Errorf("got %v", err)
			}
		})
		wg.Go(func() {
			if token, err := c.get(t.Context(), provider.Object{}, "key", fetch); err != nil || token.Value != "token" {
				t.Errorf("got %q, %v", token.Value, err)
			}
		})
		wg.Wait()

		bad := errors.New("bad")
		for _, fetch := range []func(context.Context) (provider.Token, error){
			func(context.Context) (provider.Token, error) { return provider.Token{}, bad },
			func(context.Context) (provider.Token, error) { panic("planted") },
		} {
			func() {
				defer func() { _ = recover() }()
				if _, err := c.get(t.Context(), provider.Object{}, "other", fetch); !errors.Is(err, bad) {
					t.Errorf("got %v", err)
				}
			}()
		}
		if token, err := c.get(t.Context(), provider.Object{}, "other", fetch); err != nil || token.Value != "token" {
			t.Errorf("after failures: %q, %v", token.Value, err)
		}
	})
}

func TestTokensAreBounded(t *testing.T) {
	observer := &counts{}
	c := newCache(2, time.Hour, observer)
	for i := range 5 {
		_, _ = c.get(t.Context(), provider.Object{}, fmt.Sprint(i), func(context.Context) (provider.Token, error) {
			return provider.Token{Value: "token", Expires: time.Now().Add(time.Hour)}, nil
		})
	}
	if c.len() != 2 || observer.evicted != 3 {
		t.Errorf("%d kept, %d evicted", c.len(), observer.evicted)
	}
}
