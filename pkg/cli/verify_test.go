package cli

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
)

const theReceiver = `
apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: hook, namespace: apps}
spec:
  type: generic-hmac
  suspend: false
  secretRef: {name: token}
  resources: [{kind: GitRepository, name: shop}, {kind: GitRepository, name: '*', matchLabels: {team: a}}]
  resourceFilter: req.ref == 'main'
---
apiVersion: v1
kind: Secret
metadata: {name: token, namespace: apps}
data: {token: cGxhbnRlZC10b2tlbg==}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: shop, namespace: apps}
---
apiVersion: source.toolkit.fluxcd.io/v1
kind: GitRepository
metadata: {name: infra, namespace: apps, labels: {team: a}}
`

// theCall is signed: printf %s '{"ref":"main"}' | openssl dgst -sha256 -hmac planted-token
const theCall = "POST /hook/ HTTP/1.1\nContent-Type: application/json\n" +
	"X-Signature: sha256=SIGNATURE\n\n" + `{"ref":"main"}`

func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name string
		// old is replaced by new in the Receiver, or in the call.
		old, new string
		code     int
		want     []string
	}{
		{name: "accepted", code: exitYes, want: []string{
			"yes  Receiver 'apps/hook' (generic-hmac): accepted (202 Accepted)", "reconciles GitRepository apps/shop", "reconciles GitRepository apps/infra"}},
		{name: "request line of an editor", old: "/hook/ HTTP/1.1", new: "https://hooks.example.com/hook/", code: exitYes},
		{name: "line breaks of HTTP", old: "\n", new: "\r\n", code: exitYes},
		{name: "line break at the end", old: "main\"}", new: "main\"}\n", code: exitNo, want: []string{
			"no  Receiver 'apps/hook' (generic-hmac): the signature does not match (401 Unauthorized)",
			"note: the body ends with a line break, which a signature covers: remove it, or add a Content-Length"}},
		{name: "line break after the end", old: "X-Signature", new: "Content-Length: 14\nX-Signature", code: exitYes},
		{name: "suspended", old: "suspend: false", new: "suspend: true", code: exitNo, want: []string{
			"no  Receiver 'apps/hook' (generic-hmac): ignored: the Receiver is suspended (200 OK)"}},
		{name: "filter", old: "== 'main'", new: "== 'other'", code: exitNo, want: []string{
			"no  Receiver 'apps/hook' (generic-hmac): nothing to reconcile: no object matches (200 OK)"}},
		{name: "another namespace", old: "name: shop}", new: "name: shop, namespace: other}", code: exitYes, want: []string{
			"note: no file has GitRepository other/shop: it is taken to exist, without labels"}},
		{name: "unknown kind", old: "kind: GitRepository, name: shop}", new: "kind: Repo, name: shop}", code: exitNo, want: []string{
			`no  Receiver 'apps/hook' (generic-hmac): spec.resources[0]: kind: unknown kind "Repo" (500 Internal Server Error)`}},
		{name: "broken filter", old: "req.ref == 'main'", new: "ref == 'main'", code: exitNo, want: []string{
			"no  Receiver 'apps/hook' (generic-hmac): it has no path: Reconciliation failed terminally due to configuration error: spec.resourceFilter:1:1: undeclared reference to 'ref' (did you mean 'req' or 'res'?) (503 Service Unavailable)"}},
		{name: "missing key", old: "data: {token:", new: "data: {tokn:", code: exitNo, want: []string{
			"no  Receiver 'apps/hook' (generic-hmac): it has no path: spec.secretRef: Secret 'apps/token' lacks the required field 'token', or it is empty (503 Service Unavailable)"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			call := strings.Replace(theCall, "SIGNATURE", "fa2f2d7b4fadb4bda49c7734a64828006cf7d944cccc53355a019ec93508fd29", 1)
			objects := theReceiver
			if test.old != "" {
				objects = strings.Replace(objects, test.old, test.new, 1)
				if objects == theReceiver {
					call = strings.ReplaceAll(call, test.old, test.new)
				}
			}
			if test.name == "line break after the end" {
				call += "\n"
			}
			got := run(t, objects, "verify", "-f", write(t, "call.http", call), "-f", "-", "-n", "apps", "--receiver", "hook")
			if got.code != test.code {
				t.Errorf("code %d, want %d: %s%s", got.code, test.code, got.out, got.err)
			}
			for _, want := range test.want {
				if !slices.Contains(lines(got.out), want) {
					t.Errorf("got:  %s\nwant: %s", got.out, want)
				}
			}
			if strings.Contains(got.out+got.err, "planted") {
				t.Error("it shows a secret")
			}
		})
	}
}

// TestVerifyCrossNamespace keeps a Receiver from other namespaces.
func TestVerifyCrossNamespace(t *testing.T) {
	objects := strings.Replace(strings.Replace(theReceiver, "name: shop}", "name: shop, namespace: other}", 1), "generic-hmac", "generic", 1)
	call := write(t, "call.http", "POST / HTTP/1.1\nContent-Type: application/json\n\n{\"ref\":\"main\"}")
	got := run(t, objects, "verify", "-f", call, "-f", "-", "-n", "apps", "--receiver", "hook", "--no-cross-namespace-refs")
	if got.code != exitNo || !strings.Contains(got.out, "--no-cross-namespace-refs forbids") {
		t.Errorf("code %d: %s%s", got.code, got.out, got.err)
	}
}

// TestPath says why there is none.
func TestPath(t *testing.T) {
	got := run(t, strings.Replace(theReceiver, "data: {token:", "data: {tokn:", 1), "path", "-f", "-", "-n", "apps", "hook")
	if want := "spec.secretRef: Secret 'apps/token' lacks the required field 'token', or it is empty\n"; got.code != exitNo || got.out != "" || got.err != want {
		t.Errorf("code %d: %q\ngot:  %q\nwant: %q", got.code, got.out, got.err, want)
	}
	got = run(t, strings.Replace(theReceiver, "req.ref ==", "ref ==", 1), "path", "-f", "-", "-n", "apps", "hook")
	if got.code != exitNo || !strings.Contains(got.err, "spec.resourceFilter") {
		t.Errorf("code %d: %q%q", got.code, got.out, got.err)
	}
}

// TestVerifyIsDenied does not ask an issuer where the server would not.
func TestVerifyIsDenied(t *testing.T) {
	issuer := oidctest.Serve(t)
	objects := fmt.Sprintf(`
apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: hook, namespace: apps}
spec:
  type: generic-oidc
  oidcProviders: [{issuerURL: %s, audience: hook, validations: [{expression: 'true', message: never}]}]
  resources: [{kind: GitRepository, name: shop}]
`, issuer.URL)
	call := "POST /hook/ HTTP/1.1\nAuthorization: Bearer " + issuer.Token(t, map[string]any{"iss": issuer.URL, "aud": "hook"}) + "\n\n{}"
	got := run(t, objects, "verify", "-f", write(t, "call.http", call), "-f", "-", "-n", "apps", "--receiver", "hook", "--provider-deny-cidrs=127.0.0.0/8")
	if got.code != exitNo || !strings.Contains(got.out, "--provider-deny-cidrs") || len(issuer.Requests()) > 0 {
		t.Errorf("code %d, %q: %s%s", got.code, issuer.Requests(), got.out, got.err)
	}
}
