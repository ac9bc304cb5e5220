package compat

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fluxcd/cli-utils/pkg/kstatus/status"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

// testStaticStatus looks at Alerts and Providers, which are done as soon as they are there, whatever their status tells of
// the last delivery.
func (c *cluster) testStaticStatus(t *testing.T) {
	n := c.newTenant(t, "static-status")
	n.startController(t, c.Config()).waitReady(t)

	edits := []struct{ name, patch string }{
		{"edited", `{"spec":{"summary":"edited","channel":"edited"}}`},
		{"broken", `{"spec":{"exclusionList":["("],"secretRef":{"name":"absent"}}}`},
		{"suspended", `{"spec":{"suspend":true}}`},
		{"resumed", `{"spec":{"suspend":null}}`},
	}
	for k, spec := range map[kind]map[string]any{
		alerts():    {"providerRef": map[string]any{"name": "p"}, "eventSources": []any{}},
		providers(): {"type": "generic", "address": "http://127.0.0.1:1"},
	} {
		for _, version := range k.versions() {
			name := "from-" + version
			what := k.in(version)
			created := n.create(t, k, version, name, spec)
			wantStatus(t, what+" created", created, status.CurrentStatus)
			n.wantStatus(t, what+" fresh", k, name, status.CurrentStatus)
			for _, edit := range edits {
				before := n.get(t, k, name).GetGeneration()
				if after := n.patch(t, k, version, name, edit.patch).GetGeneration(); after == before {
					t.Errorf("%s %s: the generation is still %d", what, edit.name, after)
				}
				n.wantStatus(t, what+" "+edit.name, k, name, status.CurrentStatus)
			}
		}
		n.testDeliveryStatus(t, k)
		// Older controllers wrote a status, through the older versions only. It must not be taken for ours.
		for _, version := range k.versions()[:2] {
			const failing = `{"status":{"observedGeneration":-1,"conditions":[{"type":"Ready","status":"False",
				"reason":"Failed","message":"old","lastTransitionTime":"2024-01-01T00:00:00Z"}]}}`
			n.patch(t, k, version, "from-"+version, failing, "status")
			n.wantStatus(t, k.in(version)+" with an old status", k, "from-"+version, status.CurrentStatus)
		}
	}
}

// testDeliveryStatus writes what the controller writes after a delivery. A failed one is no failure of the object.
func (n tenant) testDeliveryStatus(t *testing.T, k kind) {
	const current = "v1beta3"
	name := "from-" + current
	for _, delivery := range []string{
		`{"time":"2026-01-01T00:00:00Z","result":"failed","reason":"auth","error":"401 Unauthorized"}`,
		`{"time":"2026-01-01T00:01:00Z","result":"dropped","reason":"queue_full","error":"too many"}`,
		`{"time":"2026-01-01T00:02:00Z","result":"sent","reason":null,"error":null}`,
	} {
		n.patch(t, k, current, name, `{"status":{"lastDelivery":`+delivery+`}}`, "status")
		n.wantStatus(t, k.name+" with "+delivery, k, name, status.CurrentStatus)
		// An edit does not make it wait for a status that is of the edit.
		n.patch(t, k, current, name, `{"spec":{"suspend":true}}`)
		n.wantStatus(t, k.name+" edited after "+delivery, k, name, status.CurrentStatus)
		n.patch(t, k, current, name, `{"spec":{"suspend":null}}`)
	}
	n.kubectl(t, "wait", "--timeout=5s", "--for=jsonpath={.status.lastDelivery.result}=sent", k.in(current)+"/"+name)
}

// testReceiverStatus takes Receivers through their life.
func (c *cluster) testReceiverStatus(t *testing.T) {
	n := c.newTenant(t, "receiver-status")
	k := receivers()
	spec := func(secret string) map[string]any {
		return map[string]any{"type": "generic", "resources": []any{}, "secretRef": map[string]any{"name": secret}}
	}
	n.pipe(t, secret("good", "token", "one")+secret("keyless", "other", "one"), "apply")
	n.create(t, k, "v1", "good", spec("good"))
	n.create(t, k, "v1", "keyless", spec("keyless"))
	n.create(t, k, "v1", "missing", spec("missing"))
	terminal := spec("good")
	terminal["resourceFilter"] = "not an expression"
	n.create(t, k, "v1", "terminal", terminal)
	// The older versions do not check this.
	n.create(t, k, "v1beta2", "unchecked", map[string]any{"type": "generic", "resources": []any{}})
	for _, name := range []string{"good", "keyless", "missing", "terminal", "unchecked"} {
		n.wantStatus(t, name+" before the controller ran", k, name, status.InProgressStatus)
		got, _, _ := unstructured.NestedMap(n.get(t, k, name).Object, "status")
		if fmt.Sprint(got) != "map[observedGeneration:-1]" {
			t.Errorf("%s before the controller ran: the status is %v, want just observedGeneration -1", name, got)
		}
	}

	n.startController(t, c.Config())
	n.waitReceiver(t, "good", "Succeeded", status.CurrentStatus)
	n.waitReceiver(t, "keyless", "TokenNotFound", status.InProgressStatus)
	n.waitReceiver(t, "missing", "TokenNotFound", status.InProgressStatus)
	n.waitReceiver(t, "terminal", "InvalidCELExpression", status.FailedStatus)
	n.waitReceiver(t, "unchecked", "ValidationFailed", status.FailedStatus)

	// Repaired.
	n.pipe(t, secret("keyless", "token", "two")+secret("missing", "token", "three"), "apply")
	n.patch(t, k, "v1", "terminal", `{"spec":{"resourceFilter":"true"}}`)
	n.patch(t, k, "v1", "unchecked", `{"spec":{"secretRef":{"name":"good"}}}`)
	for _, name := range []string{"keyless", "missing", "terminal", "unchecked"} {
		n.waitReceiver(t, name, "Succeeded", status.CurrentStatus)
	}

	// Broken when they were good, and repaired again. Nothing but the reason tells that the controller saw it.
	n.kubectl(t, "delete", "secret", "missing")
	n.waitReceiver(t, "missing", "TokenNotFound", status.InProgressStatus)
	n.pipe(t, secret("missing", "token", "four"), "apply")
	n.waitReceiver(t, "missing", "Succeeded", status.CurrentStatus)
	n.edit(t, "v1", "good", `{"spec":{"resourceFilter":"1 + 1"}}`)
	n.waitReceiver(t, "good", "InvalidCELExpression", status.FailedStatus)
	n.edit(t, "v1", "good", `{"spec":{"resourceFilter":null}}`)
	n.waitReceiver(t, "good", "Succeeded", status.CurrentStatus)

	// Edited through each version.
	for _, version := range k.versions() {
		n.edit(t, version, "good", fmt.Sprintf(`{"spec":{"events":[%q]}}`, version))
		n.waitReceiver(t, "good", "Succeeded", status.CurrentStatus)
	}

	// Suspended, which is an edit that leaves a good Receiver as good as it was.
	n.edit(t, "v1", "good", `{"spec":{"suspend":true}}`)
	n.waitReceiver(t, "good", "Succeeded", status.CurrentStatus)
	n.edit(t, "v1", "good", `{"spec":{"suspend":null}}`)
	n.waitReceiver(t, "good", "Succeeded", status.CurrentStatus)
}

// create creates an object through one version.
func (n tenant) create(t *testing.T, k kind, version, name string, spec map[string]any) *unstructured.Unstructured {
	t.Helper()
	object := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	object.SetAPIVersion(notification.GroupName + "/" + version)
	object.SetKind(k.name)
	object.SetName(name)
	created, err := n.objects(k, version, n.namespace).Create(t.Context(), object, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return created
}

// patch writes a JSON merge patch through one version and returns the object as it is then.
func (n tenant) patch(t *testing.T, k kind, version, name, patch string, subresources ...string) *unstructured.Unstructured {
	t.Helper()
	object, err := n.objects(k, version, n.namespace).
		Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}, subresources...)
	if err != nil {
		t.Fatal(err)
	}
	return object
}

// edit changes the spec of a Receiver, which puts it in progress until the controller has seen that.
func (n tenant) edit(t *testing.T, version, name, patch string) {
	t.Helper()
	wantStatus(t, "Receiver "+name+" just after "+patch, n.patch(t, receivers(), version, name, patch), status.InProgressStatus)
}

// waitReceiver waits until a Receiver is Ready, or not, for this reason and has this status, in all versions.
func (n tenant) waitReceiver(t *testing.T, name, reason string, want status.Status) {
	t.Helper()
	k := receivers()
	eventually(t, "Receiver "+name, func(context.Context) error {
		object := n.get(t, k, name)
		err := errors.Join(
			equal[any]("the reason", condition(object, "Ready")["reason"], reason),
			equal("what kstatus makes of it", compute(t, object).Status, want))
		if err != nil {
			err = fmt.Errorf("%w; its status is %v", err, object.Object["status"])
		}
		return err
	})
	n.wantStatus(t, "Receiver "+name+" with reason "+reason, k, name, want)
}

// wantStatus expects a status of an object in all versions.
func (n tenant) wantStatus(t *testing.T, what string, k kind, name string, want status.Status) {
	t.Helper()
	for _, version := range k.versions() {
		wantStatus(t, what+", read as "+version, n.getIn(t, k, version, name), want)
	}
}

func wantStatus(t *testing.T, what string, object *unstructured.Unstructured, want status.Status) {
	t.Helper()
	if got := compute(t, object); got.Status != want {
		t.Errorf("%s: it counts as %s (%s), want %s", what, got.Status, got.Message, want)
	}
}

// compute is what kstatus makes of an object.
func compute(t *testing.T, object *unstructured.Unstructured) *status.Result {
	t.Helper()
	result, err := status.Compute(object)
	if err != nil {
		t.Fatal(err)
	}
	return result
}

// secret is the manifest of a Secret with one key, of which "flux create secret receiver" makes those with a token.
func secret(name, key, value string) string {
	return fmt.Sprintf("---\napiVersion: v1\nkind: Secret\nmetadata: {name: %q}\nstringData: {%q: %q}\n", name, key, value)
}
