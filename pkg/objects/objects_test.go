package objects_test

import (
	"errors"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/objects"
)

func TestGetAndList(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()

		got, err := c.Get(repositories(), "apps", "shop")
		if err != nil {
			t.Fatal(err)
		}
		if got.Labels["team"] != "a" || got.Annotations["keep"] != "this" || got.ManagedFields != nil ||
			got.APIVersion != "source.toolkit.fluxcd.io/v1" || got.Kind != "GitRepository" {
			t.Errorf("got %+v", got)
		}
		if gvr, err := c.Resource(repositories()); err != nil || gvr != resource("v1") {
			t.Errorf("Resource: %v, %v", gvr, err)
		}
		_, err = c.Get(repositories(), "apps", "nope")
		if !errors.Is(err, objects.ErrNotFound) || !strings.Contains(err.Error(), "GitRepository apps/nope") {
			t.Errorf("missing object: %v", err)
		}

		for _, test := range []struct {
			namespace, selector string
			want                []string
		}{
			{"apps", "", []string{"infra", "shop"}},
			{"apps", "team=a", []string{"shop"}},
			{"prod", "team=b", nil},
			{"none", "", nil},
		} {
			selector, err := labels.Parse(test.selector)
			if err != nil {
				t.Fatal(err)
			}
			found, err := c.List(repositories(), test.namespace, selector)
			var names []string
			for _, m := range found {
				names = append(names, m.Name)
			}
			if err != nil || !slices.Equal(names, test.want) {
				t.Errorf("%s %q: got %v, %v; want %v", test.namespace, test.selector, names, err, test.want)
			}
		}
	})
}

func TestFollowsChanges(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		changed := repository("apps", "shop", map[string]string{"team": "z"})
		if err := c.client.Tracker().Update(resource("v1"), changed, "apps"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		got, err := c.Get(repositories(), "apps", "shop")
		if err != nil || got.Labels["team"] != "z" || got.ManagedFields != nil || got.Kind != "GitRepository" {
			t.Errorf("after an update: %+v, %v", got, err)
		}
		if err := c.client.Tracker().Delete(resource("v1"), "apps", "shop"); err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := c.get(); !errors.Is(err, objects.ErrNotFound) {
			t.Errorf("after deletion: %v", err)
		}
	})
}

func TestOneNamespaceOnly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "apps")
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		if err := c.get(); err != nil {
			t.Error(err)
		}
		_, err := c.Get(repositories(), "prod", "shop")
		if !errors.Is(err, objects.ErrNotFound) || !strings.Contains(err.Error(), "watches only the namespace apps") {
			t.Errorf("an object elsewhere: %v", err)
		}
	})
}

func TestRunsWhileSomebodyWants(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		step := func(what string, do func(), want error) {
			t.Helper()
			do()
			synctest.Wait()
			if err := c.get(); !errors.Is(err, want) {
				t.Errorf("%s: got %v, want %v", what, err, want)
			}
		}
		kinds := []schema.GroupKind{repositories()}
		step("nobody", func() {}, objects.ErrNotSynced)
		step("first", func() { c.Want("a", kinds) }, nil)
		step("second", func() { c.Want("b", append(kinds, repositories())) }, nil)
		step("first again", func() { c.Want("a", kinds) }, nil)
		step("first gone", func() { c.Want("a", nil) }, nil)
		step("first gone twice", func() { c.Want("a", nil) }, nil)
		if got := c.listed(); got != 1 {
			t.Errorf("listed %d times, want once", got)
		}
		step("second wants something else", func() { c.Want("b", []schema.GroupKind{{Kind: "Other"}}) }, objects.ErrNotSynced)
		if len(informing()) == 0 {
			t.Error("the goroutines of an informer are not recognized")
		}
		step("second gone", func() { c.Want("b", nil) }, objects.ErrNotSynced)
		if left := informing(); len(left) > 0 {
			t.Errorf("nobody wants anything, and these go on:\n%s", strings.Join(left, "\n\n"))
		}
		step("wanted again", func() { c.Want("c", kinds) }, nil)
	})
}

// informing returns the stacks of the goroutines that follow a kind. To count all of the process would not do: one that
// has ended may be counted for a moment.
func informing() []string {
	all := make([]byte, 1<<20)
	all = all[:runtime.Stack(all, true)]
	return slices.DeleteFunc(strings.Split(string(all), "\n\n"), func(stack string) bool {
		return !strings.Contains(stack, "objects.(*follower)") && !strings.Contains(stack, "client-go/tools/cache.")
	})
}

func TestOwnersComeAndGoAtTheSameTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		var all sync.WaitGroup
		for _, owner := range []types.UID{"a", "b", "c", "d"} {
			all.Go(func() {
				for range 100 {
					c.Want(owner, []schema.GroupKind{repositories()})
					_ = c.get()
					c.Want(owner, nil)
				}
				c.Want(owner, []schema.GroupKind{repositories()})
			})
		}
		all.Wait()
		synctest.Wait()
		if err := c.get(); err != nil {
			t.Error(err)
		}
	})
}

func TestReportSync(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := newCluster(t, "")
		check := func(what string, want map[string]bool) {
			t.Helper()
			got := map[string]bool{}
			c.ReportSync(func(kind string, synced bool) { got[kind] = synced })
			if !maps.Equal(got, want) {
				t.Errorf("%s: got %v, want %v", what, got, want)
			}
		}
		check("nothing wanted", map[string]bool{})
		c.mapper.serve("", nil)
		c.Want("owner", []schema.GroupKind{repositories()})
		synctest.Wait()
		check("not served", map[string]bool{"GitRepository": false})
		c.mapper.serve("v1", nil)
		time.Sleep(time.Minute)
		check("served", map[string]bool{"GitRepository": true})
		c.Want("owner", nil)
		check("not wanted any more", map[string]bool{})
	})
}

func TestAttempted(t *testing.T) {
	for name, test := range map[string]struct {
		version string
		err     error
		want    bool
	}{
		"read":        {"v1", nil, true},
		"not served":  {"", nil, true},
		"forbidden":   {"v1", forbidden(), true},
		"API is down": {"v1", errors.New("connection refused"), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				c := newCluster(t, "")
				if !c.Attempted() {
					t.Error("nothing is wanted, and something is waited for")
				}
				c.mapper.serve(test.version, nil)
				c.answer(test.err)
				release := c.mapper.hold()
				c.Want("owner", []schema.GroupKind{repositories()})
				if c.Attempted() {
					t.Error("attempted before anybody was asked")
				}
				release()
				synctest.Wait()
				if got := c.Attempted(); got != test.want {
					t.Errorf("got %t, want %t", got, test.want)
				}
			})
		})
	}
}
