package objects_test

import (
	"context"
	"errors"
	"os"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/metadata"
	"k8s.io/client-go/restmapper"

	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/objects"
)

// TestRealAPIServer goes through what can happen to a kind, in one go: not installed, forbidden, allowed, gone and
// installed again.
func TestRealAPIServer(t *testing.T) {
	cp := apitest.Start(t)
	crd, err := os.ReadFile("../../hack/testdata/crds/gitrepositories.yaml")
	if err != nil {
		t.Fatal(err)
	}
	cp.Kubectl(t, "create", "serviceaccount", "reader", "-n", "default")
	config := cp.TokenConfig(t, "default", "reader")
	client, err := metadata.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	discoverer, err := discovery.NewDiscoveryClientForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	informers := objects.New(objects.Options{
		Client: client,
		Mapper: restmapper.NewDeferredDiscoveryRESTMapper(memory.NewMemCacheClient(discoverer)),
	})
	ctx, cancel := context.WithCancel(t.Context())
	var run sync.WaitGroup
	run.Go(func() { informers.Run(ctx) })
	defer run.Wait()
	defer cancel()
	informers.Want("owner", []schema.GroupKind{repositories()})

	await := func(what string, want error) {
		t.Helper()
		var last error
		err := wait.PollUntilContextTimeout(t.Context(), 50*time.Millisecond, 30*time.Second, true, func(context.Context) (bool, error) {
			_, last = informers.Get(repositories(), "default", "shop")
			return errors.Is(last, want), nil
		})
		if err != nil {
			t.Fatalf("%s: still %v, want %v", what, last, want)
		}
	}
	const shop = "apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: shop, namespace: default, labels: {team: a}}\n"
	install := func() {
		t.Helper()
		cp.Apply(t, string(crd))
		cp.Kubectl(t, "wait", "--for=condition=Established", "crd/gitrepositories.source.toolkit.fluxcd.io")
	}

	await("not installed", objects.ErrNotServed)
	install()
	await("without rights", objects.ErrForbidden)
	cp.Kubectl(t, "create", "clusterrole", "reader", "--verb=list,watch", "--resource=gitrepositories.source.toolkit.fluxcd.io")
	cp.Kubectl(t, "create", "clusterrolebinding", "reader", "--clusterrole=reader", "--serviceaccount=default:reader")
	await("with rights", objects.ErrNotFound)
	cp.Apply(t, shop)
	await("created", nil)

	got, err := informers.Get(repositories(), "default", "shop")
	if err != nil || got.Labels["team"] != "a" || got.Kind != "GitRepository" ||
		got.APIVersion != "source.toolkit.fluxcd.io/v1" || got.ManagedFields != nil {
		t.Errorf("got %+v, %v", got, err)
	}
	cp.Kubectl(t, "delete", "crd", "gitrepositories.source.toolkit.fluxcd.io")
	await("deleted with its kind", objects.ErrNotServed)
	install()
	await("installed again", objects.ErrNotFound)
	cp.Apply(t, shop)
	await("created again", nil)
}
