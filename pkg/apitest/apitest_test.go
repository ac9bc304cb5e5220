package apitest_test

import (
	"context"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

func TestControlPlane(t *testing.T) {
	t.Parallel()
	c := apitest.Start(t)

	t.Run("kubectl", func(t *testing.T) {
		if got := c.Kubectl(t, "get", "namespaces", "--output=name"); !strings.Contains(got, "namespace/default\n") {
			t.Errorf("no namespace default in %q", got)
		}
		if got := c.Kubectl(t, "version"); strings.Count(got, "v1.37.2") != 2 {
			t.Errorf("client and server are not both v1.37.2: %s", got)
		}
		_, err := c.TryKubectl("", "get", "namespace", "absent")
		if err == nil || !strings.Contains(err.Error(), `namespaces "absent" not found`) {
			t.Errorf("error %v does not say what kubectl said", err)
		}
	})

	t.Run("service account tokens", func(t *testing.T) {
		c.Apply(t, readerOfSecrets)
		config := c.TokenConfig(t, "default", "reader")
		if err := list(t, config, "secrets", "default"); err != nil {
			t.Errorf("what its Role allows: %v", err)
		}
		if err := list(t, config, "secrets", "kube-system"); !apierrors.IsForbidden(err) {
			t.Errorf("in another namespace: got error %v, want forbidden", err)
		}
		if err := list(t, config, "configmaps", "default"); !apierrors.IsForbidden(err) {
			t.Errorf("another resource: got error %v, want forbidden", err)
		}
	})

	t.Run("finalize namespace", func(t *testing.T) {
		c.Kubectl(t, "create", "namespace", "leaving")
		c.Kubectl(t, "create", "configmap", "content", "--namespace=leaving")
		c.Kubectl(t, "create", "deployment", "content", "--namespace=leaving", "--image=none")
		c.Kubectl(t, "delete", "namespace", "leaving", "--wait=false")
		if got := c.Kubectl(t, "get", "namespace", "leaving", "--output=jsonpath={.status.phase}"); got != "Terminating" {
			t.Errorf("got phase %q before, want Terminating", got)
		}
		c.FinalizeNamespace(t, "leaving")
		if got := c.Kubectl(t, "get", "namespace", "leaving", "--ignore-not-found", "--output=name"); got != "" {
			t.Errorf("%s is still there", got)
		}
	})
}

func TestPause(t *testing.T) {
	t.Parallel()
	c := apitest.Start(t)
	c.Pause(t)
	config := c.Config()
	config.Timeout = 500 * time.Millisecond
	if err := list(t, config, "configmaps", "default"); err == nil {
		t.Error("a paused API server answers")
	}
	c.Resume(t)
	if err := list(t, c.Config(), "configmaps", "default"); err != nil {
		t.Errorf("a resumed API server: %v", err)
	}
	c.Pause(t) // what comes at the end works on a paused one, too
}

func TestRestart(t *testing.T) {
	t.Parallel()
	c := apitest.Start(t)
	c.Kubectl(t, "create", "namespace", "kept")
	c.Apply(t, readerOfSecrets)
	config := c.TokenConfig(t, "default", "reader")

	c.Stop(t)
	if err := list(t, c.Config(), "secrets", "default"); err == nil {
		t.Error("a stopped API server answers")
	}
	c.Restart(t) // after a Stop
	c.Kubectl(t, "get", "namespace", "kept")
	c.Restart(t) // without
	c.Kubectl(t, "get", "namespace", "kept")
	if err := list(t, config, "secrets", "default"); err != nil {
		t.Errorf("a token from before the restart: %v", err)
	}
}

// list asks for a list of a core resource.
func list(t *testing.T, config *rest.Config, resource, namespace string) error {
	t.Helper()
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	_, err = client.Resource(schema.GroupVersionResource{Version: "v1", Resource: resource}).
		Namespace(namespace).List(ctx, metav1.ListOptions{})
	return err
}

const readerOfSecrets = `
apiVersion: v1
kind: ServiceAccount
metadata: {name: reader, namespace: default}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: reader, namespace: default}
rules:
- {apiGroups: [""], resources: [secrets], verbs: [list]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: reader, namespace: default}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}
subjects: [{kind: ServiceAccount, name: reader, namespace: default}]
`
