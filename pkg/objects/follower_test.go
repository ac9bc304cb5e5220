package objects_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/restmapper"

	"github.com/notification-controller/notification-controller/pkg/objects"
)

var _ objects.Mapper = (*restmapper.DeferredDiscoveryRESTMapper)(nil)

func TestKindIsInstalledLater(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.mapper.serve("", nil)
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		if err := c.get(); !errors.Is(err, objects.ErrNotServed) || !strings.Contains(err.Error(), "GitRepository apps/shop") {
			t.Errorf("got %v", err)
		}
		if _, err := c.Resource(repositories()); !errors.Is(err, objects.ErrNotServed) {
			t.Errorf("Resource: %v", err)
		}
		// 1, 2, 4, 8, 16, 32, 60, 60 ... seconds apart.
		sleep(5 * time.Minute)
		if got := c.mapper.requests; got < 8 || got > 12 {
			t.Errorf("asked %d times in five minutes", got)
		}
		c.mapper.serve("", errors.New("connection refused"))
		sleep(time.Minute)
		if err := c.get(); !errors.Is(err, objects.ErrNotSynced) {
			t.Errorf("while nobody can say whether it is served: %v", err)
		}
		c.mapper.serve("v1", nil)
		sleep(time.Minute)
		if err := c.get(); err != nil {
			t.Errorf("a minute after it was installed: %v", err)
		}
	})
}

func TestDiscoveryFails(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.mapper.serve("v1", errors.New("connection refused"))
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		if err := c.get(); !errors.Is(err, objects.ErrNotSynced) {
			t.Errorf("got %v", err)
		}
		c.mapper.serve("v1", nil)
		sleep(time.Second)
		if err := c.get(); err != nil {
			t.Errorf("a second after the API was back: %v", err)
		}
	})
}

func TestForbidden(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.answer(forbidden())
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		if err := c.get(); !errors.Is(err, objects.ErrForbidden) {
			t.Errorf("got %v", err)
		}
		c.answer(nil)
		sleep(time.Minute)
		if err := c.get(); err != nil {
			t.Errorf("a minute after it was allowed: %v", err)
		}
		// What was read before grows old, so that it does not count.
		c.answer(forbidden())
		sleep(time.Minute)
		if err := c.get(); !errors.Is(err, objects.ErrForbidden) {
			t.Errorf("after it was forbidden again: %v", err)
		}
	})
}

func TestAPIOutage(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.answer(errors.New("connection refused"))
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		if err := c.get(); !errors.Is(err, objects.ErrNotSynced) {
			t.Errorf("before the first list: %v", err)
		}
		c.answer(nil)
		sleep(time.Minute)
		if err := c.get(); err != nil {
			t.Errorf("a minute after the API was there: %v", err)
		}
		c.answer(errors.New("connection refused"))
		sleep(time.Hour)
		if err := c.get(); err != nil {
			t.Errorf("what was read before the outage is lost: %v", err)
		}
	})
}

func TestVersionVanishes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		if err := c.get(); err != nil {
			t.Fatal(err)
		}
		if err := c.client.Tracker().Create(resource("v2"), repository("apps", "new", nil), "apps"); err != nil {
			t.Fatal(err)
		}
		c.mapper.serve("v2", nil)
		c.answer(notFound())
		time.AfterFunc(2*time.Second, func() { c.answer(nil) })
		sleep(2 * time.Minute)
		if gvr, err := c.Resource(repositories()); err != nil || gvr != resource("v2") {
			t.Errorf("Resource: %v, %v; want v2", gvr, err)
		}
		got, err := c.Get(repositories(), "apps", "new")
		if err != nil || got.APIVersion != "source.toolkit.fluxcd.io/v2" {
			t.Errorf("got %+v, %v", got, err)
		}
		if err := c.get(); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("an object of the version that is gone: %v", err)
		}
	})
}

func TestCRDIsDeleted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		c.mapper.serve("", nil)
		c.answer(notFound())
		// The informer notices first, then discovery says why.
		var states []error
		for range 100 {
			sleep(100 * time.Millisecond)
			if state := errors.Unwrap(c.get()); len(states) == 0 || states[len(states)-1] != state {
				states = append(states, state)
			}
		}
		if want := []error{nil, objects.ErrNotSynced, objects.ErrNotServed}; !slices.Equal(states, want) {
			t.Errorf("went through %v, want %v", states, want)
		}
		sleep(time.Minute)
		if err := c.get(); !errors.Is(err, objects.ErrNotServed) {
			t.Errorf("got %v", err)
		}
		lists := c.listed()
		sleep(time.Hour)
		if c.listed() != lists {
			t.Error("a resource that is not served is still listed")
		}
	})
}

// TestBackOff has a resource that discovery names and that cannot be listed.
func TestBackOff(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.answer(notFound())
		c.Want("owner", []schema.GroupKind{repositories()})
		sleep(10 * time.Minute)
		if got := c.listed(); got < 5 || got > 20 {
			t.Errorf("listed %d times in ten minutes", got)
		}
	})
}
