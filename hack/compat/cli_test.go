package compat

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

// The field manager of the flux CLI.
const fieldManager = "--field-manager=flux"

// testCLI does with kubectl what the flux CLI does on the API, command by command. Each kind has an object "it".
func (c *cluster) testCLI(t *testing.T) {
	n := c.newTenant(t, "cli")
	controller := n.startController(t, c.Config())
	controller.waitReady(t)
	for _, step := range []struct {
		name string
		test func(*testing.T)
	}{
		// In order: each goes on with what the one before left.
		{"create", n.testCreate},
		{"get", n.testGet},
		{"trigger receiver", func(t *testing.T) { n.testTrigger(t, controller) }},
		{"suspend and resume", func(t *testing.T) { n.testSuspend(t, controller) }},
		{"export", n.testExport},
		{"reconcile receiver", n.testReconcile},
		{"delete", n.testDelete},
	} {
		if !t.Run(step.name, step.test) {
			return
		}
	}
}

// objectsOfCLI are one object of each kind as the flux CLI makes them: by "flux create", and with --export.
const objectsOfCLI = `
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: it, labels: {team: shop}}
spec:
  type: slack
  channel: general
  address: http://127.0.0.1:1/hook
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: it, labels: {team: shop}}
spec:
  eventSeverity: info
  eventSources:
  - {kind: GitRepository, name: "*", namespace: cli}
  - {kind: Kustomization, name: shop, matchLabels: {team: shop}}
  providerRef: {name: it}
---
apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: it, labels: {team: shop}}
spec:
  type: generic
  events: [ping, push]
  interval: 10m0s
  resources:
  - {kind: GitRepository, name: shop}
  secretRef: {name: it}
`

// tokenOfCLI is not trimmed when the path is computed.
const tokenOfCLI = "a token "

// testCreate is flux create: first without the object, then over it, and by a server-side apply of what --export prints.
func (n tenant) testCreate(t *testing.T) {
	n.pipe(t, secret("it", "token", tokenOfCLI), "create")
	n.pipe(t, objectsOfCLI, "create", fieldManager)
	n.waitReceiver(t, "it", "Succeeded", status.CurrentStatus)
	// kubectl wait does what the CLI did before kstatus.
	n.kubectl(t, "wait", "receiver", "it", "--for=condition=Ready", "--timeout=10s")

	n.pipe(t, objectsOfCLI, "replace", fieldManager)
	n.pipe(t, objectsOfCLI, "apply", "--server-side", "--force-conflicts", fieldManager)
	for _, k := range kinds() {
		object := n.get(t, k, "it")
		if object.GetGeneration() != 1 {
			t.Errorf("%s: the generation is %d after writing the same again, want 1", k.name, object.GetGeneration())
		}
		n.wantStatus(t, k.name+" written again", k, "it", status.CurrentStatus)
	}

	digest := sha256.Sum256([]byte(tokenOfCLI + "it" + n.namespace))
	want := "/hook/" + hex.EncodeToString(digest[:])
	if got := text(n.get(t, receivers(), "it"), "status", "webhookPath"); got != want {
		t.Errorf("the webhook path is %q, want %q, which the CLI tells when it creates the Secret", got, want)
	}
}

// testGet is flux get: a list of each kind, in which Receivers have a condition.
func (n tenant) testGet(t *testing.T) {
	path := text(n.get(t, receivers(), "it"), "status", "webhookPath")
	ready := condition(n.get(t, receivers(), "it"), "Ready")
	if ready["status"] != "True" || ready["message"] != "Receiver initialized for path: "+path {
		t.Errorf("Ready is %v, of which the CLI shows status and message", ready)
	}
	table := n.kubectl(t, "get", "receivers")
	header, row, _ := strings.Cut(table, "\n")
	if got := strings.Fields(header); !reflect.DeepEqual(got, []string{"NAME", "AGE", "READY", "STATUS"}) {
		t.Errorf("the columns are %v", got)
	}
	if got := strings.Fields(row); len(got) < 4 || got[0] != "it" || got[2] != "True" || got[len(got)-1] != path {
		t.Errorf("the row is %v, want it to tell name, ready and path", got)
	}
	names := n.kubectl(t, "get", "fluxcd-notifications", "--output=name", "--selector=team=shop")
	for _, k := range kinds() {
		if want := strings.ToLower(k.name) + "." + notification.GroupName + "/it\n"; !strings.Contains(names, want) {
			t.Errorf("the category lists %q, which lacks %q", names, want)
		}
	}
}

// testTrigger is flux trigger receiver: a POST to the path that the status tells.
func (n tenant) testTrigger(t *testing.T, c controller) {
	const gitRepository = `
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: shop}
spec: {}
`
	n.pipe(t, gitRepository, "create")
	// The controller has to hear of the Receiver's path and of the object first.
	n.waitTriggered(t, c, http.StatusAccepted)
	eventually(t, "the GitRepository", func(context.Context) error {
		annotations := n.kubectl(t, "get", "gitrepository", "shop", "--output=jsonpath={.metadata.annotations}")
		return equal(annotations+" with a request", strings.Contains(annotations, notification.RequestedAtAnnotation), true)
	})
}

// waitTriggered calls the webhook until it gives the answer.
func (n tenant) waitTriggered(t *testing.T, c controller, want int) {
	t.Helper()
	url := "http://" + c.ReceiverAddress() + text(n.get(t, receivers(), "it"), "status", "webhookPath")
	eventually(t, "the webhook", func(ctx context.Context) error {
		request, err := http.NewRequestWithContext(ctx, http.MethodPost, url, strings.NewReader("{}"))
		if err != nil {
			return err
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return err
		}
		response.Body.Close()
		return equal("the answer", response.StatusCode, want)
	})
}

// testSuspend is flux suspend and flux resume, which waits for Receivers.
func (n tenant) testSuspend(t *testing.T, c controller) {
	for _, k := range kinds() {
		for i, suspend := range []string{"true", "false", "true", "null"} {
			n.kubectl(t, "patch", k.resource, "it", "--type=merge", fieldManager, "--patch", `{"spec":{"suspend":`+suspend+`}}`)
			object := n.get(t, k, "it")
			if got, want := object.GetGeneration(), int64(i+2); got != want {
				t.Errorf("%s: the generation is %d after suspend: %s, want %d", k.name, got, suspend, want)
			}
			got, _, _ := unstructured.NestedBool(object.Object, "spec", "suspend")
			if got != (suspend == "true") {
				t.Errorf("%s: suspend is %t after suspend: %s", k.name, got, suspend)
			}
			if k != receivers() {
				n.wantStatus(t, k.name+" after suspend: "+suspend, k, "it", status.CurrentStatus)
				continue
			}
			n.waitReceiver(t, "it", "Succeeded", status.CurrentStatus)
			answer := http.StatusAccepted
			if suspend == "true" {
				answer = http.StatusOK // and nothing is done
			}
			n.waitTriggered(t, c, answer)
		}
	}
}

// testExport is flux export, of older releases too: what it prints makes the same objects.
func (n tenant) testExport(t *testing.T) {
	for i, release := range []string{"the first release", "an older release", "this release"} {
		before := map[kind]*unstructured.Unstructured{}
		get, remove := []string{"get", "--output=yaml"}, []string{"delete"}
		for _, k := range kinds() {
			before[k] = n.get(t, k, "it")
			name := k.in(k.versions()[i]) + "/it"
			get, remove = append(get, name), append(remove, name)
		}
		exported := export(t, n.kubectl(t, get...))
		for _, k := range kinds() {
			if want := "apiVersion: " + notification.GroupName + "/" + k.versions()[i] + "\nkind: " + k.name + "\n"; !strings.Contains(exported, want) {
				t.Errorf("%s exports\n%s, which lacks\n%s", release, exported, want)
			}
		}

		n.pipe(t, exported, "apply", "--server-side", "--force-conflicts", fieldManager)
		for _, k := range kinds() {
			if after := n.get(t, k, "it"); after.GetGeneration() != before[k].GetGeneration() {
				t.Errorf("%s: applying what %s exports changes the spec from\n%v to\n%v", k.name, release, before[k].Object["spec"], after.Object["spec"])
			}
		}
		n.kubectl(t, remove...)
		n.pipe(t, exported, "create", fieldManager)
		for _, k := range kinds() {
			after := n.get(t, k, "it")
			if !reflect.DeepEqual(after.Object["spec"], before[k].Object["spec"]) || !reflect.DeepEqual(after.GetLabels(), before[k].GetLabels()) {
				t.Errorf("%s: what %s exports creates\n%v, not\n%v", k.name, release, after.Object, before[k].Object)
			}
		}
	}
	n.waitReceiver(t, "it", "Succeeded", status.CurrentStatus)
}

// export returns the objects of a list without what a cluster adds.
func export(t *testing.T, list string) string {
	t.Helper()
	var objects struct{ Items []map[string]any }
	if err := yaml.Unmarshal([]byte(list), &objects); err != nil {
		t.Fatal(err)
	}
	var manifest strings.Builder
	for _, object := range objects.Items {
		delete(object, "status")
		metadata := object["metadata"].(map[string]any)
		object["metadata"] = map[string]any{"name": metadata["name"], "namespace": metadata["namespace"], "labels": metadata["labels"]}
		document, err := yaml.Marshal(object)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&manifest, "---\n%s", document)
	}
	return manifest.String()
}

// testReconcile is flux reconcile receiver.
func (n tenant) testReconcile(t *testing.T) {
	for range 2 {
		n.waitHandled(t, n.requestReconcile(t), status.CurrentStatus)
	}
	// One that fails tells so, and that it has tried.
	n.kubectl(t, "delete", "secret", "it")
	n.waitHandled(t, n.requestReconcile(t), status.InProgressStatus)
	n.pipe(t, secret("it", "token", tokenOfCLI), "create")
	n.waitHandled(t, n.requestReconcile(t), status.CurrentStatus)
	if got := n.get(t, receivers(), "it").GetGeneration(); got != 1 {
		t.Errorf("the generation is %d, want 1: a request is no edit", got)
	}
}

// requestReconcile annotates the Receiver and returns the value.
func (n tenant) requestReconcile(t *testing.T) string {
	t.Helper()
	now := time.Now().Format(time.RFC3339Nano)
	n.kubectl(t, "annotate", "receiver", "it", "--overwrite", fieldManager, notification.RequestedAtAnnotation+"="+now)
	return now
}

// waitHandled waits until the Receiver has handled a request and has the status.
func (n tenant) waitHandled(t *testing.T, request string, want status.Status) {
	t.Helper()
	eventually(t, "the Receiver to handle a request", func(context.Context) error {
		object := n.get(t, receivers(), "it")
		return errors.Join(
			equal("lastHandledReconcileAt", text(object, "status", "lastHandledReconcileAt"), request),
			equal("what kstatus makes of it", compute(t, object).Status, want))
	})
}

// testDelete is flux delete, with and without what older controllers left.
func (n tenant) testDelete(t *testing.T) {
	for _, k := range kinds() {
		n.kubectl(t, "delete", k.resource, "it", "--timeout=10s")
	}
	n.pipe(t, objectsOfCLI, "create", fieldManager)
	for _, k := range kinds() {
		n.patch(t, k, k.storageVersion, "it", `{"metadata":{"finalizers":["`+notification.LegacyFinalizer+`"]}}`)
		n.kubectl(t, "delete", k.resource, "it", "--timeout=10s")
		list, err := n.objects(k, k.storageVersion, n.namespace).List(t.Context(), metav1.ListOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if len(list.Items) > 0 {
			t.Errorf("%s: there are still %d", k.name, len(list.Items))
		}
	}
}
