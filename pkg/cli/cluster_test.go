package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/pflag"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/apitest"
)

// liveObjects are those of the test's namespace, but for what the commands of the test say.
const liveObjects = `
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: labelled, namespace: %[1]s}
spec: {providerRef: {name: slack}, eventSources: [{kind: Kustomization, name: '*', matchLabels: {team: a}}]}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: errors, namespace: %[1]s}
spec: {providerRef: {name: slack}, eventSeverity: error, eventSources: [{kind: Kustomization, name: shop}]}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: nowhere, namespace: %[1]s}
spec: {providerRef: {name: broken}, eventSources: [{kind: Kustomization, name: shop}]}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: slack, namespace: %[1]s}
spec: {type: slack, secretRef: {name: url}}
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: broken, namespace: %[1]s}
spec: {type: slack, secretRef: {name: missing}}
---
apiVersion: v1
kind: Secret
metadata: {name: url, namespace: %[1]s}
stringData: {address: https://hooks.example.com/services/planted-path}
---
apiVersion: kustomize.toolkit.fluxcd.io/v1
kind: Kustomization
metadata: {name: shop, namespace: %[1]s, labels: {team: a}}
---
apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: generic, namespace: %[1]s}
spec:
  type: generic
  secretRef: {name: token}
  resources: [{kind: Kustomization, apiVersion: kustomize.toolkit.fluxcd.io/v1, name: '*', matchLabels: {team: a}}]
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: %[1]s}
stringData: {token: planted-token, previousToken: planted-last}
`

// TestCluster asks about live objects, with the rights of an administrator and with none.
func TestCluster(t *testing.T) {
	cp := apitest.Start(t)
	cp.Kubectl(t, "apply", "-k", "../../manifests")
	cp.Kubectl(t, "apply", "-f", "../../hack/testdata/crds")
	cp.Kubectl(t, "wait", "--for=condition=Established", "crd", "--all")
	const ns = "cli"
	cp.Kubectl(t, "create", "namespace", ns)
	cp.Apply(t, fmt.Sprintf(liveObjects, ns))
	event := strings.ReplaceAll(theEvent, `"namespace":"apps"`, `"namespace":"cli"`)

	live := func(stdin string, args ...string) result {
		t.Helper()
		var out, errs bytes.Buffer
		args = append(args, "-o", "json", "--kubeconfig", cp.Kubeconfig())
		code := Run(t.Context(), args, Streams{strings.NewReader(stdin), &out, &errs}, pflag.NewFlagSet("", pflag.ContinueOnError))
		if strings.Contains(errs.String(), "planted") || strings.Contains(out.String(), "planted") {
			t.Errorf("%v shows a secret: %s%s", args, &out, &errs)
		}
		return result{code, out.String(), errs.String()}
	}

	t.Run("explain", func(t *testing.T) {
		for _, scope := range [][]string{nil, {"-n", ns}} {
			got := live(event, append([]string{"explain", "-f", "-"}, scope...)...)
			var answer deliveries
			decodeAnswer(t, got, exitYes, &answer)
			messages := map[string]string{}
			for _, alert := range answer.Events[0].Alerts {
				messages[alert.Name] = alert.Message
			}
			for name, want := range map[string]string{
				"labelled": "goes to Provider 'cli/slack' (slack)",
				"errors":   `spec.eventSeverity is "error", and the event's severity is "info": set it to "info"`,
				"nowhere":  "Provider 'cli/broken': spec.secretRef: Secret 'cli/missing': not found: create it, or change the name",
			} {
				if messages[name] != want {
					t.Errorf("%s\ngot:  %s\nwant: %s", name, messages[name], want)
				}
			}
		}
		if got := live(event, "explain", "-f", "-", "-n", "default"); got.code != exitNo {
			t.Errorf("code %d in a namespace without Alerts: %s%s", got.code, got.out, got.err)
		}
	})
	t.Run("render", func(t *testing.T) {
		var answer deliveries
		decodeAnswer(t, live(event, "render", "-f", "-", "-n", ns, "--provider", "slack"), exitYes, &answer)
		alerts := answer.Events[0].Alerts
		if len(alerts) != 1 || alerts[0].Name != "labelled" || len(alerts[0].Requests) != 1 || alerts[0].Requests[0].URL != "https://hooks.example.com*****" {
			t.Errorf("%+v", alerts)
		}
	})
	t.Run("path and verify", func(t *testing.T) {
		var found paths
		decodeAnswer(t, live("", "path", "-n", ns, "generic"), exitYes, &found)
		if found.Path == "" || found.PreviousPath == "" || found.Path == found.PreviousPath {
			t.Fatalf("%+v", found)
		}
		request := "POST " + found.Path + " HTTP/1.1\nHost: x\n\n{}"
		// Nobody has written the status yet, by which the server finds a Receiver.
		if got := live(request, "verify", "-f", "-"); got.code != exitNo {
			t.Errorf("without a status: %s", got.out)
		}
		cp.Kubectl(t, "patch", "receiver", "generic", "-n", ns, "--subresource=status", "--type=merge", "-p", fmt.Sprintf(
			`{"status":{"webhookPath":%q,"previousWebhookPath":%q,"conditions":[{"type":"Ready","status":"True","reason":"Succeeded","message":"","lastTransitionTime":"2026-01-01T00:00:00Z"}]}}`,
			found.Path, found.PreviousPath))
		for path, previous := range map[string]bool{found.Path: false, found.PreviousPath: true} {
			var answer webhook
			decodeAnswer(t, live("POST "+path+" HTTP/1.1\nHost: x\n\n{}", "verify", "-f", "-"), exitYes, &answer)
			if answer.PreviousToken != previous || len(answer.Reconciles) != 1 || answer.Reconciles[0] != (objectReport{"Kustomization", ns, "shop"}) {
				t.Errorf("%+v", answer)
			}
		}
		if annotations := cp.Kubectl(t, "get", "kustomization.kustomize.toolkit.fluxcd.io", "shop", "-n", ns, "-o", "jsonpath={.metadata.annotations}"); strings.Contains(annotations, "requestedAt") {
			t.Errorf("it has written: %s", annotations)
		}
	})
	t.Run("without rights", func(t *testing.T) {
		cp.Kubectl(t, "create", "serviceaccount", "nobody", "-n", ns)
		token := strings.TrimSpace(cp.Kubectl(t, "create", "token", "nobody", "-n", ns))
		kubeconfig := strings.TrimSpace(cp.Kubectl(t, "config", "view", "--raw", "--minify", "-o", "json"))
		file := write(t, "kubeconfig", withToken(t, kubeconfig, token))
		got := run(t, event, "explain", "-f", "-", "--kubeconfig", file)
		if got.code != exitUnknown || !strings.Contains(got.err, "forbidden") || !strings.Contains(got.err, "--namespace looks in one only") {
			t.Errorf("code %d: %s%s", got.code, got.out, got.err)
		}
	})
}

// TestList reads all pages.
func TestList(t *testing.T) {
	var asked []string
	page := func(_ context.Context, o metav1.ListOptions) (*v1beta3.AlertList, error) {
		asked = append(asked, o.Continue)
		list := &v1beta3.AlertList{Items: make([]v1beta3.Alert, o.Limit)}
		if o.Continue == "" {
			list.Continue = "next"
		}
		return list, nil
	}
	found, err := list(t.Context(), page, []*v1beta3.Alert(nil))
	if err != nil || !slices.Equal(asked, []string{"", "next"}) || len(found) < 2 || len(found)%2 != 0 {
		t.Errorf("%d found, pages %q, %v", len(found), asked, err)
	}
}

// withToken is a kubeconfig for another user.
func withToken(t *testing.T, kubeconfig, token string) string {
	t.Helper()
	var config map[string]any
	if err := json.Unmarshal([]byte(kubeconfig), &config); err != nil {
		t.Fatal(err)
	}
	users, _ := config["users"].([]any)
	user, _ := users[0].(map[string]any)
	user["user"] = map[string]any{"token": token}
	changed, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return string(changed)
}

func decodeAnswer(t *testing.T, got result, code int, answer any) {
	t.Helper()
	if got.code != code {
		t.Errorf("code %d, want %d: %s%s", got.code, code, got.out, got.err)
	}
	if err := json.Unmarshal([]byte(got.out), answer); err != nil {
		t.Fatalf("%v: %s%s", err, got.out, got.err)
	}
}
