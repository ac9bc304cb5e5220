package compat

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"
	"k8s.io/klog/v2/ktesting"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apitest"
	"github.com/notification-controller/notification-controller/pkg/app"
)

// patience is how long a test waits for what should take well below a second.
const patience = 20 * time.Second

func TestFlux(t *testing.T) {
	c := newCluster(t)
	for name, test := range map[string]func(*testing.T){
		"events":           c.testEvents,
		"events too early": c.testEventsTooEarly,
		"static status":    c.testStaticStatus,
		"receiver status":  c.testReceiverStatus,
		"CLI":              c.testCLI,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			test(t)
		})
	}
}

// kind is a kind of our API group.
type kind struct {
	name, resource, storageVersion string
}

func alerts() kind    { return kind{"Alert", "alerts", "v1beta3"} }
func providers() kind { return kind{"Provider", "providers", "v1beta3"} }
func receivers() kind { return kind{"Receiver", "receivers", "v1"} }

func kinds() []kind { return []kind{alerts(), providers(), receivers()} }

func (k kind) versions() []string { return []string{"v1beta1", "v1beta2", k.storageVersion} }

// in is the name by which kubectl knows the kind in one version.
func (k kind) in(version string) string {
	return k.resource + "." + version + "." + notification.GroupName
}

// cluster is an API server with the CRDs that we need.
type cluster struct {
	*apitest.ControlPlane
	client dynamic.Interface
}

func newCluster(t *testing.T) *cluster {
	t.Helper()
	c := &cluster{ControlPlane: apitest.Start(t)}
	config := c.Config()
	config.WarningHandlerWithContext = rest.NoWarnings{} // The older versions are used on purpose.
	var err error
	if c.client, err = dynamic.NewForConfig(config); err != nil {
		t.Fatal(err)
	}
	c.Kubectl(t, "apply", "--server-side", "-k", "../../manifests/crd")
	c.Kubectl(t, "apply", "--server-side", "-f", "../testdata/crds")
	c.Kubectl(t, "wait", "--for=condition=Established", "crd", "--all")
	for _, k := range kinds() {
		for _, version := range k.versions() {
			// An established CRD is served a moment later.
			eventually(t, k.in(version)+" to be served", func(ctx context.Context) error {
				_, err := c.objects(k, version, metav1.NamespaceDefault).List(ctx, metav1.ListOptions{})
				return err
			})
		}
	}
	return c
}

// tenant is a namespace of a test's own. Its controller looks after no other, so that tests do not meet.
type tenant struct {
	*cluster
	namespace string
}

func (c *cluster) newTenant(t *testing.T, namespace string) tenant {
	t.Helper()
	c.Kubectl(t, "create", "namespace", namespace)
	return tenant{c, namespace}
}

// controller is a notification-controller that runs.
type controller struct {
	*app.App
	// stop has it finish what it has accepted. Later calls do nothing.
	stop func()
}

// startController starts a notification-controller for the namespace, and does not wait until it is ready.
func (n tenant) startController(t *testing.T, config *rest.Config) controller {
	t.Helper()
	options := app.DefaultOptions()
	const anyPort = "127.0.0.1:0"
	options.EventsAddress, options.ReceiverAddress, options.HealthAddress, options.MetricsAddress = anyPort, anyPort, anyPort, anyPort
	options.Kubeconfig = config
	options.AllNamespaces, options.RuntimeNamespace = false, n.namespace

	_, ctx := ktesting.NewTestContext(t)
	ctx, cancel := context.WithCancel(ctx)
	a, err := app.New(ctx, options)
	if err != nil {
		cancel()
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		if err := a.Run(ctx); err != nil {
			t.Errorf("the controller ended: %v", err)
		}
	}()
	stop := func() {
		cancel()
		<-ended
	}
	t.Cleanup(stop)
	return controller{a, stop}
}

// waitReady waits until the controller says that it is ready.
func (c controller) waitReady(t *testing.T) {
	t.Helper()
	eventually(t, "the controller to be ready", func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+c.HealthAddress()+"/readyz", nil)
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		return equal("the status", response.StatusCode, http.StatusOK)
	})
}

// kubectl runs kubectl in the namespace and returns what it prints.
func (n tenant) kubectl(t *testing.T, args ...string) string {
	t.Helper()
	return n.Kubectl(t, append(args, "--namespace", n.namespace)...)
}

// pipe does the same with input. It prints warnings on stderr, which is not returned.
func (n tenant) pipe(t *testing.T, stdin string, args ...string) string {
	t.Helper()
	output, err := n.TryKubectl(stdin, append(args, "--namespace", n.namespace, "-f", "-")...)
	if err != nil {
		t.Fatal(err)
	}
	return output
}

// objects is the client for one version of a kind.
func (c *cluster) objects(k kind, version, namespace string) dynamic.ResourceInterface {
	gvr := schema.GroupVersionResource{Group: notification.GroupName, Version: version, Resource: k.resource}
	return c.client.Resource(gvr).Namespace(namespace)
}

// get reads an object in its storage version.
func (n tenant) get(t *testing.T, k kind, name string) *unstructured.Unstructured {
	t.Helper()
	return n.getIn(t, k, k.storageVersion, name)
}

func (n tenant) getIn(t *testing.T, k kind, version, name string) *unstructured.Unstructured {
	t.Helper()
	object, err := n.objects(k, version, n.namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// text is a string field of an object, empty if it is absent.
func text(object *unstructured.Unstructured, path ...string) string {
	value, _, _ := unstructured.NestedString(object.Object, path...)
	return value
}

// condition is a condition of an object; nil if it has none of that type.
func condition(object *unstructured.Unstructured, kind string) map[string]any {
	conditions, _, _ := unstructured.NestedSlice(object.Object, "status", "conditions")
	i := slices.IndexFunc(conditions, func(c any) bool { return c.(map[string]any)["type"] == kind })
	if i < 0 {
		return nil
	}
	return conditions[i].(map[string]any)
}

// eventually waits until check finds nothing wrong, and ends the test with what it last found if it always does.
func eventually(t *testing.T, what string, check func(context.Context) error) {
	t.Helper()
	var last error
	err := wait.PollUntilContextTimeout(t.Context(), 20*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		last = check(ctx)
		return last == nil, nil
	})
	if err != nil {
		t.Fatalf("waited in vain for %s: %v", what, last)
	}
}

// equal is an error that says what is not as it should be, if it is not.
func equal[T comparable](what string, got, want T) error {
	if got != want {
		return fmt.Errorf("%s is %v, want %v", what, got, want)
	}
	return nil
}
