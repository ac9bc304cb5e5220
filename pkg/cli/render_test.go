package cli

import (
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	providerregistry "github.com/notification-controller/notification-controller/pkg/provider/registry"
)

// commitEvent names a commit and a change request, and reports a failure: there is no type that does not take it.
const commitEvent = `{"involvedObject":{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","namespace":"apps","name":"shop"},
"severity":"error","reason":"BuildFailed","message":"it failed","reportingController":"kustomize-controller","metadata":{
"kustomize.toolkit.fluxcd.io/revision":"main@sha1:a1afe267b54f38b46b487f6e938a6fd508278c07",
"event.toolkit.fluxcd.io/change_request":"7"}}`

// specs are the fields of types that need other ones than most, but for their token.
func specs() map[string]string {
	repository := func(host string) string { return "address: https://" + host + "/acme/shop" }
	return map[string]string{
		"azuredevops":               "address: https://dev.azure.com/acme/shop/_git/shop",
		"azureeventhub":             "address: shop\n  channel: acme",
		"bitbucket":                 repository("bitbucket.org"),
		"bitbucketserver":           "address: https://bitbucket.example.com/scm/acme/shop.git",
		"gitea":                     repository("gitea.example.com"),
		"giteapullrequestcomment":   repository("gitea.example.com"),
		"github":                    repository("github.com"),
		"githubdispatch":            repository("github.com"),
		"githubpullrequestcomment":  repository("github.com"),
		"gitlab":                    repository("gitlab.com"),
		"gitlabmergerequestcomment": repository("gitlab.com"),
		"googlepubsub":              "address: acme-project\n  channel: shop",
		"matrix":                    "address: https://matrix.example.com\n  channel: '!abc:example.com'",
		"nats":                      "address: nats://127.0.0.1:1\n  channel: shop",
		"pagerduty":                 "address: https://events.pagerduty.com\n  channel: planted-routing-key",
		"sentry":                    "address: https://planted-key@sentry.example.com/42\n  channel: production",
		"telegram":                  "channel: '-1001'",
		"zulip":                     "address: https://zulip.example.com\n  channel: ops/flux",
	}
}

// tokenOf is the credential of a type: some take only what looks like one of theirs.
func tokenOf(name string) string {
	switch name {
	case "bitbucket":
		return "planted-user:planted-password"
	case "bitbucketserver":
		return "planted-token"
	case "telegram":
		return "123456:planted-token"
	default:
		return "planted-token"
	}
}

// TestRenderAllTypes shows the requests of every type, and no secret.
func TestRenderAllTypes(t *testing.T) {
	event := write(t, "event.json", commitEvent)
	for _, row := range providerregistry.Types() {
		t.Run(row.Name, func(t *testing.T) {
			spec := specs()[row.Name]
			if spec == "" {
				spec = "address: https://" + "service.example.com/planted-path/hook"
			}
			secret := "token: " + tokenOf(row.Name)
			if row.Name == "googlepubsub" || row.Name == "azureeventhub" {
				secret = "unused: planted-value" // They are known to their clouds by their identity.
			}
			objects := fmt.Sprintf(`
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: p, namespace: apps}
spec:
  type: %s
  %s
  secretRef: {name: s}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: apps}
stringData:
  %s
`, row.Name, spec, secret)
			got := run(t, objects, "render", "-f", event, "-f", "-", "-n", "apps", "--provider", "p", "-o", "json")
			if strings.Contains(got.out+got.err, "planted") {
				t.Errorf("it shows a secret: %s%s", got.out, got.err)
			}
			var answer deliveries
			if err := json.Unmarshal([]byte(got.out), &answer); err != nil {
				t.Fatalf("%v: %s%s", err, got.out, got.err)
			}
			report := answer.Events[0].Alerts[0]
			if row.Name == "nats" {
				if !strings.Contains(report.Message, "does not send by HTTP") {
					t.Errorf("message %q", report.Message)
				}
				return
			}
			if got.code != exitYes {
				t.Fatalf("code %d: %s", got.code, report.Message)
			}
			checkRequests(t, row, report.Requests)
		})
	}
}

// checkRequests checks how many requests there are: types that keep a state on the far side look before they write.
func checkRequests(t *testing.T, row provider.Type, requests []exchange) {
	t.Helper()
	least := 1
	switch row.Family {
	case provider.FamilyCommitStatus:
		least = 2
	case provider.FamilyChangeRequest:
		least = 3 // Who am I, which comments are there, and the comment.
	}
	if len(requests) < least {
		t.Errorf("%d requests, want at least %d: %+v", len(requests), least, requests)
	}
	last := requests[len(requests)-1]
	if last.Method == http.MethodGet || last.Body == "" && len(last.BodyBase64) == 0 {
		t.Errorf("the last request writes nothing: %+v", last)
	}
}

// TestRenderReachesNobody has a type that connects by itself.
func TestRenderReachesNobody(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	connected := make(chan struct{})
	go func() {
		defer close(connected)
		if _, err := listener.Accept(); err == nil {
			t.Error("it has connected")
		}
	}()
	objects := fmt.Sprintf(`
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: p, namespace: apps}
spec: {type: nats, address: "nats://%s", channel: shop}
`, listener.Addr())
	got := run(t, objects, "render", "-f", write(t, "event.json", commitEvent), "-f", "-", "-n", "apps", "--provider", "p")
	if err := listener.Close(); err != nil {
		t.Error(err)
	}
	<-connected
	const want = `a Provider of type nats does not send by HTTP: what it would publish cannot be shown; "send" tries it`
	if got.code != exitNo || !strings.Contains(got.out, want) {
		t.Errorf("code %d: %s%s", got.code, got.out, got.err)
	}
}

// TestRenderMasksHeaders has values that are too short to be looked for in texts.
func TestRenderMasksHeaders(t *testing.T) {
	const objects = `
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: p, namespace: ops}
spec: {type: generic, address: "https://service.example.com/", secretRef: {name: s}}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: ops}
stringData: {headers: "x-pin: '42x'\nAuthorization: Bearer 43x"}
`
	// No Alert is in the way of an event from elsewhere.
	got := run(t, objects, "render", "-f", write(t, "event.json", commitEvent), "-f", "-", "-n", "ops", "--provider", "p", "--no-cross-namespace-refs")
	for _, want := range []string{"X-Pin: *****\n", "Authorization: Bearer *****\n"} {
		if got.code != exitYes || !strings.Contains(got.out, want) {
			t.Errorf("code %d, no %q: %s%s", got.code, want, got.out, got.err)
		}
	}
	if strings.Contains(got.out, "42x") || strings.Contains(got.out, "43x") {
		t.Errorf("it shows a secret: %s", got.out)
	}
}

// TestRenderMessage has what the Alert and the server add to an event.
func TestRenderMessage(t *testing.T) {
	objects := strings.Replace(theObjects, "suspend: false\n  eventSeverity", "message: 'Told: {{ .Message }}'\n  eventSeverity", 1)
	got := run(t, objects, "render", "-f", write(t, "event.json", theEvent), "-f", "-", "-n", "apps", "--provider", "provider", "--cluster-name", "east")
	for _, want := range []string{`"text": "Told: Reconciliation finished in 1s"`, `"value": "east"`} {
		if got.code != exitYes || !strings.Contains(got.out, want) {
			t.Errorf("code %d, no %s: %s%s", got.code, want, got.out, got.err)
		}
	}
	got = run(t, statusProvider, "render", "-f", write(t, "event.json", commitEvent), "-f", "-", "-n", "apps", "--provider", "p",
		"--cluster-name", "east", "--cluster-name-in-commit-status")
	if got.code != exitYes || !strings.Contains(got.out, `"context": "east/kustomization/shop/`) {
		t.Errorf("code %d: %s%s", got.code, got.out, got.err)
	}
	exported := strings.Replace(statusProvider, "name: p,", "name: p, uid: 4c8d9a0e-0000-4000-8000-000000000001,", 1)
	got = run(t, exported, "render", "-f", write(t, "event.json", commitEvent), "-f", "-", "-n", "apps", "--provider", "p")
	if got.code != exitYes || !strings.Contains(got.out, `"context": "kustomization/shop/4c8d9a0e"`) {
		t.Errorf("code %d: %s%s", got.code, got.out, got.err)
	}
}

// TestRenderAsksAsTheServer has an Alert that would select the event by what the server has removed from it by then.
func TestRenderAsksAsTheServer(t *testing.T) {
	event := strings.Replace(theEvent, `"metadata":{`, `"metadata":{"kustomize.toolkit.fluxcd.io/token":"t",`, 1)
	objects := strings.Replace(theObjects, "suspend: false\n  eventSeverity", `eventFilter: '"kustomize.toolkit.fluxcd.io/token" in event.metadata'`+"\n  eventSeverity", 1)
	got := run(t, objects, "render", "-f", write(t, "event.json", event), "-f", "-", "-n", "apps", "--provider", "provider")
	if got.code != exitYes || !strings.Contains(got.out, "no Alert selects the event for this Provider") {
		t.Errorf("code %d: %s%s", got.code, got.out, got.err)
	}
}

const statusProvider = `
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: p, namespace: apps}
spec: {type: github, address: "https://github.com/acme/shop", secretRef: {name: s}}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: apps}
stringData: {token: planted-token}
`
