package app

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/metadata"

	"github.com/notification-controller/notification-controller/pkg/apitest"
)

const requestedAt = "reconcile.fluxcd.io/requestedAt"

// gitRepository is an object to annotate.
func gitRepository(namespace, name string) string {
	return fmt.Sprintf("apiVersion: source.toolkit.fluxcd.io/v1\nkind: GitRepository\nmetadata: {name: %s, namespace: %s, labels: {team: web}}\nspec: {interval: 1h, url: 'https://example.com/x'}\n---\n", name, namespace)
}

func githubReceiver(namespace, name string) string {
	return fmt.Sprintf(`apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  type: github
  events: [push]
  secretRef: {name: %[2]s}
  resources: [{kind: GitRepository, name: webapp}]
---
`, namespace, name)
}

// annotation of a GitRepository.
func annotation(t *testing.T, cp *apitest.ControlPlane, namespace, name string) string {
	t.Helper()
	client := metadata.NewForConfigOrDie(cp.Config())
	repositories := schema.GroupVersionResource{Group: "source.toolkit.fluxcd.io", Version: "v1", Resource: "gitrepositories"}
	object, err := client.Resource(repositories).Namespace(namespace).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return object.Annotations[requestedAt]
}

// TestOriginalDesign runs the example of 2020, all v1beta1, with its event, unchanged.
func TestOriginalDesign(t *testing.T) {
	cp := shared(t)
	s := newSink(t, nil)
	example, err := os.ReadFile("../../manifests/testdata/original-example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	// The design leaves the address of the webhook open.
	cp.Apply(t, strings.ReplaceAll(string(example), "http://127.0.0.1:8888", s.URL))
	t.Cleanup(func() { cp.Kubectl(t, "delete", "alert/on-call-webapp", "provider/slack", "secret/slack-url") })
	c := start(t, cp, nil)

	const body = `{"severity":"info","ts":"2020-09-17T07:27:11.921Z","reportingController":"kustomize-controller","reason":"ApplySucceed",
"message":"Kustomization applied in 1.4s, revision: master/a1afe267b54f38b46b487f6e938a6fd508278c07",
"involvedObject":{"kind":"Kustomization","name":"webapp-backend","namespace":"default"},
"metadata":{"service/backend":"created","deployment.apps/backend":"created"}}`
	if status, _ := c.post(body); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	r := s.wait(t, 1, "a1afe267b54f38b46b487f6e938a6fd508278c07")[0]
	if r.path != "/services/T000/B000/XXX" || !strings.Contains(r.body, `"channel":"prod-alerts"`) {
		t.Errorf("got %s %s", r.path, r.body)
	}
}

// TestGolden sends the recorded events through the whole process and compares with what Flux sent.
func TestGolden(t *testing.T) {
	cp := shared(t)
	s := newSink(t, nil)
	const ns = "capture"
	namedNamespace(t, cp, ns)
	manifests := secretManifest(ns, "generic", map[string]string{"headers": "X-Custom: one\nAuthorization: Basic abc"}) +
		secretManifest(ns, "generic-hmac", map[string]string{"token": "hmac-key"}) +
		secretManifest(ns, "slack-bot", map[string]string{"token": "xoxb-1"})
	specs := map[string]string{
		"generic":      fmt.Sprintf("{type: generic, address: '%s/generic/hook', secretRef: {name: generic}}", s.URL),
		"generic-hmac": fmt.Sprintf("{type: generic-hmac, address: '%s/generic-hmac/hook', secretRef: {name: generic-hmac}}", s.URL),
		"slack-hook":   fmt.Sprintf("{type: slack, channel: general, address: '%s/slack-hook/services/x'}", s.URL),
		"slack-bot":    fmt.Sprintf("{type: slack, channel: general, username: flux, address: '%s/slack-bot/api/chat.postMessage', secretRef: {name: slack-bot}}", s.URL),
	}
	c := start(t, cp, nil)
	for name, spec := range specs {
		manifests += alertAndProvider(ns, name, spec)
	}
	cp.Apply(t, manifests)
	c.settle(ns, "generic", "generic-hmac", "slack-hook", "slack-bot")

	var events []struct {
		Name  string
		Event json.RawMessage
	}
	readJSON(t, "../provider/registry/testdata/golden/events.json", &events)
	type request struct {
		Method, Path string
		Headers      map[string]string
		Body         any
	}
	var golden map[string]map[string][]request
	readJSON(t, "../provider/registry/testdata/golden/requests.json", &golden)

	for i, e := range events {
		if status, _ := c.post(string(e.Event)); status != http.StatusAccepted {
			t.Fatalf("%s: status %d", e.Name, status)
		}
		s.wait(t, len(specs)*(i+1), "")
		for name := range specs {
			want := golden[e.Name][name][0]
			got := s.latest(t, "/"+name+want.Path)
			var body any
			if err := json.Unmarshal([]byte(got.body), &body); err != nil {
				t.Fatal(err)
			}
			if !reflect.DeepEqual(body, want.Body) {
				t.Errorf("%s %s: body\n%v\nwant\n%v", e.Name, name, body, want.Body)
			}
			for key, value := range want.Headers {
				if key != "X-Signature-Valid" && got.header.Get(key) != value {
					t.Errorf("%s %s: %s: %q, want %q", e.Name, name, key, got.header.Get(key), value)
				}
			}
		}
	}
}

func readJSON(t *testing.T, file string, into any) {
	t.Helper()
	content, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(content, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

// latest is the last request to a path.
func (s *sink) latest(t *testing.T, path string) received {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.requests) - 1; i >= 0; i-- {
		if s.requests[i].path == path {
			return s.requests[i]
		}
	}
	t.Fatalf("no request to %s", path)
	return received{}
}

func TestWebhook(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	cp.Apply(t, gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": planted + "1"}))
	c := start(t, cp, nil)
	r := receiver(t, cp, ns, "github", "True")
	if want := r.WebhookPathFor(planted + "1"); r.Status.WebhookPath != want {
		t.Fatalf("path %s, want %s", r.Status.WebhookPath, want)
	}
	eventually(t, "the objects to be read", func() error {
		if status, text := c.call(r.Status.WebhookPath, planted+"1", `{"ref":"main"}`); status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", status, text)
		}
		return nil
	})
	var first string
	eventually(t, "the annotation", func() error {
		first = annotation(t, cp, ns, "webapp")
		if _, err := time.Parse(time.RFC3339Nano, first); err != nil {
			return fmt.Errorf("annotation %q", first)
		}
		return nil
	})
	if status, _ := c.call(r.Status.WebhookPath, "wrong", `{"ref":"main"}`); status != http.StatusUnauthorized {
		t.Errorf("wrong signature: status %d", status)
	}
	if status, _ := c.call("/hook/"+strings.Repeat("0", 64), "wrong", `{}`); status != http.StatusNotFound {
		t.Errorf("unknown path: status %d", status)
	}
	if got := annotation(t, cp, ns, "webapp"); got != first {
		t.Errorf("a call that is not authentic annotated: %s, then %s", first, got)
	}

	// A rotated token moves the path at once, without a label on the Secret.
	cp.Apply(t, secretManifest(ns, "github", map[string]string{"token": planted + "2"}))
	moved := r.WebhookPathFor(planted + "2")
	eventually(t, "the path to move", func() error {
		if got := receiver(t, cp, ns, "github", "True").Status.WebhookPath; got != moved {
			return fmt.Errorf("path %s", got)
		}
		return nil
	})
	eventually(t, "the new path", func() error {
		if status, text := c.call(moved, planted+"2", `{"ref":"main"}`); status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", status, text)
		}
		return nil
	})
	if status, _ := c.call(r.Status.WebhookPath, planted+"1", `{}`); status != http.StatusNotFound {
		t.Errorf("the old path still answers %d", status)
	}
	if found := linesWith(c.exposition(), strings.TrimPrefix(moved, "/hook/")); len(found) > 0 {
		t.Errorf("the metrics tell the path: %s", found)
	}
}

// TestReceiverConditions follows a Receiver from one mistake to the next.
func TestReceiverConditions(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	start(t, cp, nil)
	cp.Apply(t, gitRepository(ns, "webapp")+githubReceiver(ns, "github")+
		strings.Replace(githubReceiver(ns, "unnamed"), "secretRef: {name: unnamed}", `secretRef: {name: ""}`, 1)+
		strings.Replace(githubReceiver(ns, "impossible"), "secretRef: {name: impossible}", `secretRef: {name: "im/possible"}`, 1))
	r := receiver(t, cp, ns, "unnamed", "False")
	if !strings.Contains(r.Status.Conditions[1].Message, "the name of the Secret is empty") {
		t.Errorf("without the name of a Secret: %+v", r.Status)
	}
	r = receiver(t, cp, ns, "impossible", "False")
	if r.Status.Conditions[1].Reason != "TokenNotFound" || !strings.Contains(r.Status.Conditions[1].Message, `no Secret can have the name "im/possible"`) {
		t.Errorf("with an impossible name of a Secret: %+v", r.Status)
	}
	r = receiver(t, cp, ns, "github", "False")
	if len(r.Status.Conditions) != 2 || r.Status.Conditions[0].Type != "Reconciling" || r.Status.Conditions[1].Reason != "TokenNotFound" || r.Status.ObservedGeneration != -1 {
		t.Errorf("without Secret: %+v", r.Status)
	}
	if text := warning(t, cp, ns, "Receiver", "github", "Failed"); !strings.Contains(text, "spec.secretRef") {
		t.Errorf("Warning %q does not name the field", text)
	}

	for _, broken := range []map[string]string{{"other": planted}, {"token": ""}} {
		cp.Apply(t, secretManifest(ns, "github", broken))
		r = receiver(t, cp, ns, "github", "False")
		eventually(t, "the message", func() error {
			r = receiver(t, cp, ns, "github", "False")
			if text := r.Status.Conditions[1].Message; !strings.Contains(text, "'token'") {
				return fmt.Errorf("message %q", text)
			}
			return nil
		})
		if r.Status.WebhookPath != "" {
			t.Errorf("with Secret %v there is a path", broken)
		}
		cp.Kubectl(t, "-n", ns, "delete", "secret", "github")
	}

	cp.Apply(t, secretManifest(ns, "github", map[string]string{"token": planted}))
	r = receiver(t, cp, ns, "github", "True")
	if len(r.Status.Conditions) != 1 || r.Status.ObservedGeneration != r.Generation || r.Status.WebhookPath == "" {
		t.Errorf("healed: %+v", r.Status)
	}
	path := r.Status.WebhookPath

	cp.Kubectl(t, "-n", ns, "patch", "receiver", "github", "--type=merge", "-p", `{"spec":{"resourceFilter":"undeclared.x"}}`)
	r = receiver(t, cp, ns, "github", "False")
	if r.Status.Conditions[0].Type != "Stalled" || r.Status.Conditions[0].Reason != "InvalidCELExpression" || r.Status.WebhookPath != path || r.Status.ObservedGeneration != r.Generation {
		t.Errorf("with a broken filter: %+v", r.Status)
	}
	if text := warning(t, cp, ns, "Receiver", "github", "InvalidCELExpression"); !strings.Contains(text, "spec.resourceFilter") {
		t.Errorf("Warning %q does not name the field", text)
	}

	cp.Kubectl(t, "-n", ns, "patch", "receiver", "github", "--type=merge", "-p", `{"spec":{"resourceFilter":null}}`)
	r = receiver(t, cp, ns, "github", "True")
	if len(r.Status.Conditions) != 1 {
		t.Errorf("healed again: %+v", r.Status)
	}
	cp.Kubectl(t, "-n", ns, "annotate", "receiver", "github", requestedAt+"=now")
	eventually(t, "the request to be handled", func() error {
		if at := receiver(t, cp, ns, "github", "True").Status.LastHandledReconcileAt; at != "now" {
			return fmt.Errorf("lastHandledReconcileAt %q", at)
		}
		return nil
	})
}

// TestRequiredKeys names what the Secret of a type lacks.
func TestRequiredKeys(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	start(t, cp, nil)
	cp.Apply(t, strings.Replace(githubReceiver(ns, "gcr"), "type: github", "type: gcr", 1)+secretManifest(ns, "gcr", map[string]string{"token": planted, "email": "a@b"}))
	eventually(t, "the condition to name the key", func() error {
		for _, c := range receiver(t, cp, ns, "gcr", "False").Status.Conditions {
			if c.Type == "Ready" && strings.Contains(c.Message, "'audience'") {
				return nil
			}
		}
		return fmt.Errorf("it does not")
	})
	cp.Apply(t, secretManifest(ns, "gcr", map[string]string{"token": planted, "email": "a@b", "audience": "https://example.com"}))
	receiver(t, cp, ns, "gcr", "True")

	cp.Apply(t, strings.Replace(githubReceiver(ns, "standard"), "type: github", "type: standard-webhooks", 1)+secretManifest(ns, "standard", map[string]string{"token": planted}))
	eventually(t, "the condition to say what is wrong", func() error {
		status := receiver(t, cp, ns, "standard", "False").Status
		for _, c := range status.Conditions {
			if c.Reason == "TokenNotFound" && strings.Contains(c.Message, "token: it has to be a signing key") && status.WebhookPath == "" {
				return nil
			}
		}
		return fmt.Errorf("%+v", status)
	})
	cp.Apply(t, secretManifest(ns, "standard", map[string]string{"token": "whsec_cGxhbnRlZHNlY3JldA=="}))
	receiver(t, cp, ns, "standard", "True")
}

// TestLegacyFinalizers removes what older controllers left.
func TestLegacyFinalizers(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	cp.Apply(t, alertAndProvider(ns, "old", "{type: generic, address: 'http://127.0.0.1:1'}")+githubReceiver(ns, "old"))
	for _, object := range []string{"alert/old", "provider/old", "receiver/old"} {
		cp.Kubectl(t, "-n", ns, "patch", object, "--type=merge", "-p", `{"metadata":{"finalizers":["finalizers.fluxcd.io","example.com/other"]}}`)
	}
	// Found deleting at the start of the controller.
	cp.Kubectl(t, "-n", ns, "delete", "--wait=false", "provider/old")
	start(t, cp, nil)
	finalizers := func(object, want string) {
		t.Helper()
		eventually(t, object+" to have finalizers "+want, func() error {
			if got := cp.Kubectl(t, "-n", ns, "get", object, "-o", "jsonpath={.metadata.finalizers}"); got != want {
				return fmt.Errorf("%s", got)
			}
			return nil
		})
	}
	finalizers("alert/old", `["example.com/other"]`)
	finalizers("provider/old", `["example.com/other"]`)
	finalizers("receiver/old", `["finalizers.fluxcd.io","example.com/other"]`)
	cp.Kubectl(t, "-n", ns, "delete", "--wait=false", "receiver/old")
	finalizers("receiver/old", `["example.com/other"]`)
}

// TestWarnings looks for the Kubernetes Events about mistakes.
func TestWarnings(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	refusing := newSink(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no such webhook: "+r.URL.Path, http.StatusNotFound)
	})
	c := start(t, cp, nil)
	cp.Apply(t, alertAndProvider(ns, "secretless", "{type: generic, secretRef: {name: missing}}")+
		alertAndProvider(ns, "unnamed", "{type: generic, secretRef: {name: ''}}")+
		alertAndProvider(ns, "impossible", "{type: generic, secretRef: {name: im/possible}}")+
		alertAndProvider(ns, "refused", "{type: generic, address: '"+refusing.URL+"/"+planted+"'}")+
		strings.Replace(alertAndProvider(ns, "regex", "{type: generic, address: 'not a url'}"), "  eventSources", "  inclusionList: ['(']\n  eventSources", 1)+
		strings.Replace(alertAndProvider(ns, "filter", "{type: generic, address: '"+refusing.URL+"'}"), "  eventSources", "  eventFilter: event.nothing == 'x'\n  eventSources", 1)+
		strings.Replace(alertAndProvider(ns, "broken-filter", "{type: generic, address: '"+refusing.URL+"'}"), "  eventSources", "  eventFilter: event.reason\n  eventSources", 1)+
		strings.Replace(alertAndProvider(ns, "broken-message", "{type: generic, address: '"+refusing.URL+"'}"), "  eventSources", "  message: '{{ .Mesage }}'\n  eventSources", 1)+
		strings.Replace(alertAndProvider(ns, "labels", "{type: generic, address: '"+refusing.URL+"'}"), "name: '*'", "name: '*', matchLabels: {team: web}", 1))
	cp.Kubectl(t, "-n", ns, "delete", "provider", "labels")
	c.settle(ns, "secretless", "unnamed", "impossible", "refused", "regex")
	if status, _ := c.post(eventJSON(ns, "hello")); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	for _, tt := range []struct{ kind, name, reason, want string }{
		{"Alert", "secretless", "NotificationDispatchFailed", "spec.secretRef: Secret '" + ns + "/missing': not found"},
		{"Alert", "refused", "NotificationDispatchFailed", "404"},
		{"Alert", "regex", "InvalidConfig", "spec.inclusionList[0]"},
		{"Alert", "labels", "SourceFetchFailed", "Kustomization"},
		{"Alert", "filter", "EventFilterFailed", "spec.eventFilter:1:6: no such key: nothing"},
		{"Alert", "broken-message", "InvalidConfig", "spec.message:1:3: <.Mesage>: there is no .Mesage"},
		{"Alert", "broken-filter", "InvalidConfig", "spec.eventFilter:1:1: the result is of type dyn"},
		{"Provider", "secretless", "InvalidConfig", "spec.secretRef"},
		{"Alert", "unnamed", "NotificationDispatchFailed", "spec.secretRef: the name of the Secret is empty"},
		{"Alert", "impossible", "NotificationDispatchFailed", `spec.secretRef: no Secret can have the name "im/possible"`},
		{"Provider", "regex", "InvalidConfig", "spec.address"},
	} {
		if text := warning(t, cp, ns, tt.kind, tt.name, tt.reason); !strings.Contains(text, tt.want) {
			t.Errorf("%s %s: Warning %q, want %q in it", tt.kind, tt.name, text, tt.want)
		}
	}
	if found := linesWith(c.exposition(), planted); len(found) > 0 {
		t.Errorf("the metrics tell a secret: %s", found)
	}
}

// TestMatchLabels has Alerts that select objects by label.
func TestMatchLabels(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	alert := alertAndProvider(ns, "labels", "{type: generic, address: '"+s.URL+"'}")
	cp.Apply(t, strings.Replace(alert, "{kind: Kustomization, name: '*'}", "{kind: GitRepository, name: '*', matchLabels: {team: web}}", 1)+gitRepository(ns, "webapp"))
	cp.Apply(t, strings.Replace(gitRepository(ns, "other"), "web}", "db}", 1))
	c := start(t, cp, nil)
	c.settle(ns, "labels")
	send := func(name, message string) {
		t.Helper()
		body := fmt.Sprintf(`{"involvedObject":{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","name":%q,"namespace":%q},"severity":"info","message":%q}`, name, ns, message)
		if status, _ := c.post(body); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	// Right after the start: a process that is ready knows the labels.
	send("webapp", "the first one")
	s.wait(t, 1, "the first one")
	send("other", "of the other team")
	send("webapp", "the last one")
	s.wait(t, 1, "the last one")
	if got := s.got("of the other team"); len(got) > 0 {
		t.Errorf("an object without the label was matched: %v", got)
	}
}
