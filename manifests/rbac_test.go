package manifests_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	authorizationv1 "k8s.io/api/authorization/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/kubernetes"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

const (
	controllerNamespace = "flux-system"
	controllerName      = "notification-controller"
	controllerUser      = "system:serviceaccount:" + controllerNamespace + ":" + controllerName
	leaseName           = "notification-controller-leader-election"
)

// targets says which resource each kind is that an Alert or a Receiver may refer to.
func targets() map[string]schema.GroupResource {
	const source, image = "source.toolkit.fluxcd.io", "image.toolkit.fluxcd.io"
	return map[string]schema.GroupResource{
		"ArtifactGenerator":     {Group: "source.extensions.fluxcd.io", Resource: "artifactgenerators"},
		"Bucket":                {Group: source, Resource: "buckets"},
		"ExternalArtifact":      {Group: source, Resource: "externalartifacts"},
		"GitRepository":         {Group: source, Resource: "gitrepositories"},
		"HelmChart":             {Group: source, Resource: "helmcharts"},
		"HelmRelease":           {Group: "helm.toolkit.fluxcd.io", Resource: "helmreleases"},
		"HelmRepository":        {Group: source, Resource: "helmrepositories"},
		"ImagePolicy":           {Group: image, Resource: "imagepolicies"},
		"ImageRepository":       {Group: image, Resource: "imagerepositories"},
		"ImageUpdateAutomation": {Group: image, Resource: "imageupdateautomations"},
		"Kustomization":         {Group: "kustomize.toolkit.fluxcd.io", Resource: "kustomizations"},
		"OCIRepository":         {Group: source, Resource: "ocirepositories"},
	}
}

// testControllerRole compares what the controller's ServiceAccount may do with what the controller does.
func (c *cluster) testControllerRole(t *testing.T) {
	const anywhere = "team-a"
	may := func(want bool, namespace, group, resource, name string, verbs ...string) {
		t.Helper()
		for _, verb := range verbs {
			c.checkAccess(t, controllerUser, want, authorizationv1.ResourceAttributes{
				Namespace: namespace, Group: group, Resource: resource, Name: name, Verb: verb,
			})
		}
	}
	writes := []string{"create", "update", "delete", "deletecollection"}

	for _, k := range kinds() {
		may(true, anywhere, notification.GroupName, k.resource, "", "list", "watch", "patch")
		may(k.name != "Receiver", anywhere, notification.GroupName, k.resource, "", "get")
		may(false, anywhere, notification.GroupName, k.resource, "", writes...)
		may(true, anywhere, notification.GroupName, k.resource+"/status", "", "patch")
		may(false, anywhere, notification.GroupName, k.resource+"/status", "", "update")
	}

	for _, field := range []string{"Alert.eventSources", "Receiver.resources"} {
		name, list, _ := strings.Cut(field, ".")
		k := kindNamed(t, name)
		allowed := slice(t, specSchema(t, c.crd(t, k), k.storageVersion), "properties", list, "items", "properties", "kind", "enum")
		slices.SortFunc(allowed, func(a, b any) int { return strings.Compare(a.(string), b.(string)) })
		var known []any
		for _, kind := range slices.Sorted(maps.Keys(targets())) {
			known = append(known, kind)
		}
		equal(t, "kinds of "+field, allowed, known)
	}
	for _, target := range targets() {
		may(true, anywhere, target.Group, target.Resource, "", "list", "watch", "patch")
		may(false, anywhere, target.Group, target.Resource, "", append(writes, "get")...)
		may(false, anywhere, target.Group, target.Resource+"/status", "", "patch")
	}

	may(true, anywhere, "", "secrets", "", "get", "list", "watch")
	may(false, anywhere, "", "secrets", "", append(writes, "patch")...)
	may(true, anywhere, "", "events", "", "create", "patch")
	may(false, anywhere, "", "events", "", "list", "delete")
	may(false, anywhere, "", "configmaps", "", "get", "create")
	may(false, anywhere, "", "serviceaccounts/token", "", "create")
	may(false, anywhere, "", "pods", "", "list", "create")
	may(false, "", "", "namespaces", "", "list")
	may(false, "", "rbac.authorization.k8s.io", "clusterroles", "", "list", "bind", "escalate")

	const leases = "coordination.k8s.io"
	may(true, controllerNamespace, leases, "leases", "", "create")
	may(true, controllerNamespace, leases, "leases", leaseName, "get", "update")
	may(false, controllerNamespace, leases, "leases", leaseName, "patch", "delete")
	may(false, controllerNamespace, leases, "leases", "source-controller-leader-election", "get", "update", "patch")
	may(false, anywhere, leases, "leases", leaseName, "create", "get", "update")
}

// testControllerRequests does with the controller's own token what the controller does most.
func (c *cluster) testControllerRequests(t *testing.T) {
	config := c.TokenConfig(t, controllerNamespace, controllerName)
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	typed, err := kubernetes.NewForConfig(config)
	if err != nil {
		t.Fatal(err)
	}
	namespace := c.namespace(t)
	c.Kubectl(t, "apply", "-f", "../hack/testdata/crds")
	c.Kubectl(t, "wait", "--for=condition=Established", "crd", "--all")
	c.Kubectl(t, "apply", "-n", namespace, "-k", "samples")

	receivers := client.Resource(schema.GroupVersionResource{Group: notification.GroupName, Version: "v1", Resource: "receivers"})
	patch := []byte(`{"status":{"webhookPath":"/hook/0"}}`)
	if _, err := receivers.Namespace(namespace).Patch(t.Context(), "github", types.MergePatchType, patch,
		metav1.PatchOptions{}, "status"); err != nil {
		t.Errorf("patch a Receiver's status: %v", err)
	}
	if err := receivers.Namespace(namespace).Delete(t.Context(), "github", metav1.DeleteOptions{}); !apierrors.IsForbidden(err) {
		t.Errorf("delete a Receiver: %v, want it forbidden", err)
	}

	repositories := client.Resource(targets()["GitRepository"].WithVersion("v1")).Namespace(namespace)
	patch = []byte(`{"metadata":{"annotations":{"` + notification.RequestedAtAnnotation + `":"now"}}}`)
	if _, err := repositories.Patch(t.Context(), "webapp", types.MergePatchType, patch, metav1.PatchOptions{}); err != nil {
		t.Errorf("annotate a GitRepository: %v", err)
	}

	if _, err := typed.CoreV1().Secrets("").List(t.Context(), metav1.ListOptions{}); err != nil {
		t.Errorf("list Secrets: %v", err)
	}
	if err := typed.Discovery().RESTClient().Verb("HEAD").AbsPath("/livez/ping").Do(t.Context()).Error(); err != nil {
		t.Errorf("HEAD /livez/ping: %v", err)
	}
}

// testUserRoles checks the roles for users. There is no controller here that adds them to the built-in roles, so they
// are checked by their labels and bound by name.
func (c *cluster) testUserRoles(t *testing.T) {
	const view, edit = "clusterrole.rbac.authorization.k8s.io/notification-controller-view",
		"clusterrole.rbac.authorization.k8s.io/notification-controller-edit"
	for builtIn, want := range map[string][]string{"view": {view}, "edit": {edit, view}, "admin": {edit, view}} {
		roles := strings.Fields(c.Kubectl(t, "get", "clusterroles", "-o", "name",
			"-l", "app.kubernetes.io/component=notification-controller,rbac.authorization.k8s.io/aggregate-to-"+builtIn+"=true"))
		if !slices.Equal(roles, want) {
			t.Errorf("added to role %s: %q, want %q", builtIn, roles, want)
		}
	}

	c.Kubectl(t, "create", "clusterrolebinding", "viewer", "--user=viewer", "--clusterrole=notification-controller-view")
	c.Kubectl(t, "create", "clusterrolebinding", "editor", "--user=editor", "--clusterrole=notification-controller-edit")
	for _, k := range kinds() {
		attributes := authorizationv1.ResourceAttributes{Namespace: "team-a", Group: notification.GroupName, Resource: k.resource}
		for _, verb := range []string{"get", "list", "watch"} {
			attributes.Verb = verb
			c.checkAccess(t, "viewer", true, attributes)
		}
		for _, verb := range []string{"create", "update", "patch", "delete", "deletecollection"} {
			attributes.Verb = verb
			c.checkAccess(t, "viewer", false, attributes)
			c.checkAccess(t, "editor", true, attributes)
		}
	}
}

// checkAccess compares with want whether user may do what attributes say.
func (c *cluster) checkAccess(t *testing.T, user string, want bool, attributes authorizationv1.ResourceAttributes) {
	t.Helper()
	if got := c.allowed(t, user, attributes); got != want {
		t.Errorf("%s may do %+v: %t, want %t", user, attributes, got, want)
	}
}

// allowed asks the API server whether user may do what attributes say. The resource may be one/two.
func (c *cluster) allowed(t *testing.T, user string, attributes authorizationv1.ResourceAttributes) bool {
	t.Helper()
	attributes.Resource, attributes.Subresource, _ = strings.Cut(attributes.Resource, "/")
	review := &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{User: user, ResourceAttributes: &attributes},
	}
	answer, err := c.typed.AuthorizationV1().SubjectAccessReviews().Create(t.Context(), review, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return answer.Status.Allowed
}
