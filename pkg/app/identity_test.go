package app

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
)

// entra stands for Microsoft Entra and for Azure DevOps.
type entra struct {
	*httptest.Server
	mu         sync.Mutex
	assertions []string
	writes     int
}

func newEntra(t *testing.T) *entra {
	e := &entra{}
	e.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		e.mu.Lock()
		defer e.mu.Unlock()
		switch _, token, _ := r.BasicAuth(); {
		case r.URL.Path == "/the-tenant/oauth2/v2.0/token":
			e.assertions = append(e.assertions, r.FormValue("client_assertion"))
			fmt.Fprintf(w, `{"access_token":"%s-token","expires_in":3600}`, planted)
		case token != planted+"-token":
			w.WriteHeader(http.StatusUnauthorized)
		case r.Method == http.MethodGet:
			fmt.Fprint(w, `{"value":[]}`)
		default:
			e.writes++
		}
	}))
	t.Cleanup(e.Close)
	return e
}

// TestWorkloadIdentity has a Provider report a commit as its ServiceAccount, with a token that the real API server made
// for it, and with the rights of the manifests.
func TestWorkloadIdentity(t *testing.T) {
	cp := shared(t)
	cp.Kubectl(t, "apply", "-f", "../../manifests/workload-identity/role.yaml")
	ns := namespace(t, cp)
	cloud := newEntra(t)
	t.Setenv("AZURE_AUTHORITY_HOST", cloud.URL)
	cp.Apply(t, fmt.Sprintf(`
apiVersion: v1
kind: ServiceAccount
metadata:
  name: reporter
  namespace: %[1]s
  annotations:
    azure.workload.identity/tenant-id: the-tenant
    azure.workload.identity/client-id: the-client
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata:
  name: azure
  namespace: %[1]s
spec:
  type: azuredevops
  address: %[2]s/org/project/_git/repository
  serviceAccountName: reporter
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata:
  name: azure
  namespace: %[1]s
spec:
  providerRef:
    name: azure
  eventSources:
    - kind: Kustomization
      name: '*'
`, ns, cloud.URL))
	c := start(t, cp, func(o *Options) {
		o.FeatureGates = map[string]string{gateWorkloadIdentity: "true"}
	})
	for i, revision := range []string{strings.Repeat("a", 40), strings.Repeat("b", 40)} {
		body := fmt.Sprintf(`{"involvedObject":{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","namespace":%q,"name":"app"},
			"severity":"error","reason":"BuildFailed","message":"m %d","metadata":{"kustomize.toolkit.fluxcd.io/revision":"main@sha1:%s"}}`, ns, i, revision)
		if status, _ := c.post(body); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
		eventually(t, "the commit to be reported", func() error {
			cloud.mu.Lock()
			defer cloud.mu.Unlock()
			if cloud.writes != i+1 {
				return fmt.Errorf("%d writes", cloud.writes)
			}
			return nil
		})
	}
	cloud.mu.Lock()
	defer cloud.mu.Unlock()
	if len(cloud.assertions) != 1 {
		t.Fatalf("%d tokens were asked for, want 1: it is kept", len(cloud.assertions))
	}
	_, rest, _ := strings.Cut(cloud.assertions[0], ".")
	payload, _, _ := strings.Cut(rest, ".")
	claims, err := base64.RawURLEncoding.DecodeString(payload)
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"api://AzureADTokenExchange", "system:serviceaccount:" + ns + ":reporter"} {
		if !strings.Contains(string(claims), part) {
			t.Errorf("the assertion does not have %q: %s", part, claims)
		}
	}
	exposed := c.exposition()
	for _, line := range []string{
		fmt.Sprintf(`gotk_token_cache_events_total{event_type="cache_miss",kind="Provider",name="azure",namespace=%q,operation="post"} 1`, ns),
		"gotk_token_cached_items 1",
		`gotk_token_cache_requests_total{status="success"} 1`,
		"gotk_token_cache_evictions_total 0",
	} {
		if !strings.Contains(exposed, line+"\n") {
			t.Errorf("no metric %s", line)
		}
	}
	cp.Kubectl(t, "delete", "provider.v1beta3.notification.toolkit.fluxcd.io", "-n", ns, "azure")
	eventually(t, "the Provider's metrics to go", func() error {
		if strings.Contains(c.exposition(), "gotk_token_cache_events_total{") {
			return fmt.Errorf("still there")
		}
		return nil
	})
}
