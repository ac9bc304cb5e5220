package cli

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// TestSendMasksFetchedTokens sends as a GitHub App, which gets its token from an answer that is shown.
func TestSendMasksFetchedTokens(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	block := pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
	var authorization []string
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if len(r.TransferEncoding) > 0 {
			t.Errorf("%s is sent as %q, which the server does not", r.URL.Path, r.TransferEncoding)
		}
		authorization = append(authorization, r.Header.Get("Authorization"))
		if strings.HasSuffix(r.URL.Path, "/access_tokens") {
			w.WriteHeader(http.StatusCreated)
			fmt.Fprint(w, `{"token":"ghs_planted","expires_at":"2099-01-01T00:00:00Z"}`)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprint(w, `{"message":"ghs_planted may not"}`)
	}))
	defer service.Close()
	secret, err := json.Marshal(map[string]string{
		"githubAppID": "1", "githubAppInstallationID": "2", "githubAppPrivateKey": string(block), "githubAppBaseURL": service.URL,
	})
	if err != nil {
		t.Fatal(err)
	}
	objects := fmt.Sprintf(`
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: p, namespace: apps}
spec: {type: githubdispatch, address: %s/acme/shop, secretRef: {name: s}}
---
apiVersion: v1
kind: Secret
metadata: {name: s, namespace: apps}
stringData: %s
`, service.URL, secret)
	got := run(t, objects, "send", "-f", "-", "-n", "apps", "--provider", "p", "-o", "json")
	if got.code != exitNo || strings.Contains(got.out+got.err, "planted") || !strings.Contains(got.out, provider.Mask+" may not") {
		t.Errorf("code %d: %s%s", got.code, got.out, got.err)
	}
	if len(authorization) != 2 || authorization[1] != "Bearer ghs_planted" {
		t.Fatalf("%q", authorization)
	}
	if jwt := strings.TrimPrefix(authorization[0], "Bearer "); strings.Contains(got.out, jwt) {
		t.Error("it shows the token of the App")
	}
}

// TestSendWithoutCluster cannot act as a ServiceAccount, be it the Provider's own or the server's for all.
func TestSendWithoutCluster(t *testing.T) {
	const form = `
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: p, namespace: apps}
spec: {type: azuredevops, address: "https://dev.azure.com/acme/shop/_git/shop"%s}
`
	for _, test := range []struct{ spec, flag, want string }{
		{", serviceAccountName: reporter", "--default-service-account=", "spec.serviceAccountName: without a cluster nobody"},
		{"", "--default-service-account=reporter", "--default-service-account: without a cluster nobody"},
	} {
		got := run(t, fmt.Sprintf(form, test.spec), "send", "-f", write(t, "event.json", commitEvent), "-f", "-", "-n", "apps", "--provider", "p",
			"--feature-gates=ObjectLevelWorkloadIdentity=true", test.flag)
		if got.code != exitNo || !strings.Contains(got.out, test.want+" can act as a ServiceAccount") {
			t.Errorf("code %d, no %q: %s%s", got.code, test.want, got.out, got.err)
		}
	}
}

// TestSendIsDenied does not connect to where the server would not.
func TestSendIsDenied(t *testing.T) {
	service := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { t.Error("it has connected") }))
	defer service.Close()
	objects := fmt.Sprintf(`
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata: {name: p, namespace: apps}
spec: {type: generic, address: %s}
`, service.URL)
	got := run(t, objects, "send", "-f", "-", "-n", "apps", "--provider", "p", "--provider-deny-cidrs=10.0.0.0/8,127.0.0.0/8")
	if got.code != exitNo || !strings.Contains(got.out, "the service is at 127.0.0.1, which --provider-deny-cidrs does not allow") {
		t.Errorf("code %d: %s%s", got.code, got.out, got.err)
	}
}

// TestFinal has nothing tried again.
func TestFinal(t *testing.T) {
	for _, kind := range []provider.Kind{provider.Transient, provider.Permanent, provider.Throttled} {
		if got := provider.Classify(final(&provider.Error{Kind: kind, Err: context.Canceled})); got.Kind != provider.Permanent {
			t.Errorf("kind %d becomes %d", kind, got.Kind)
		}
	}
	if final(nil) != nil {
		t.Error("success is an error")
	}
}
