package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
)

// deploy calls a Receiver of the type generic-oidc.
func (c *process) deploy(path, token string) (int, string) {
	c.t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+c.ReceiverAddress()+path, strings.NewReader(`{"image":"registry.example.com/shop:1.2.3"}`))
	if err != nil {
		c.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+token)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return resp.StatusCode, strings.TrimSpace(string(answer))
}

// TestOIDC runs the example of spec/receivers.md §6 with an issuer of its own.
func TestOIDC(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	issuer := oidctest.Serve(t)
	cp.Apply(t, gitRepository(ns, "webapp")+fmt.Sprintf(`apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: oidc, namespace: %s}
spec:
  type: generic-oidc
  oidcProviders:
  - issuerURL: %s
    variables:
    - {name: repo, expression: "claims.repository"}
    validations:
    - {expression: "vars.repo == 'acme/shop'", message: "repository not allowed"}
    - {expression: "claims.ref.startsWith('refs/tags/')", message: "only tags may deploy"}
  resourceFilter: claims.repository.startsWith('acme/') && req.image.contains('shop') && res.metadata.name == 'webapp'
  resources: [{kind: GitRepository, name: webapp}]
`, ns, issuer.URL))
	c := start(t, cp, nil)
	r := receiver(t, cp, ns, "oidc", "True")
	c.knows(r.Status.WebhookPath)
	if want := r.WebhookPathFor(""); r.Status.WebhookPath != want {
		t.Fatalf("path %s, want %s", r.Status.WebhookPath, want)
	}
	claims := func(repository, ref string) map[string]any {
		return map[string]any{
			"iss": issuer.URL, "aud": "notification-controller", "exp": time.Now().Add(time.Minute).Unix(), "repository": repository, "ref": ref,
		}
	}

	for token, want := range map[string]string{
		issuer.Token(t, claims("acme/other", "refs/heads/main")):                         "401 repository not allowed; only tags may deploy",
		oidctest.NewKey(t, "1", jose.ES256).Sign(t, claims("acme/shop", "refs/tags/v1")): "401 not authentic",
		"": "401 not authentic",
	} {
		if status, text := c.deploy(r.Status.WebhookPath, token); fmt.Sprint(status, " ", text) != want {
			t.Errorf("got %d %s, want %s", status, text, want)
		}
	}
	if got := annotation(t, cp, ns, "webapp"); got != "" {
		t.Errorf("a call that is not authentic annotated: %s", got)
	}
	token := issuer.Token(t, claims("acme/shop", "refs/tags/v1"))
	eventually(t, "the objects to be read", func() error {
		if status, text := c.deploy(r.Status.WebhookPath, token); status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", status, text)
		}
		return nil
	})
	eventually(t, "the annotation", func() error {
		if annotation(t, cp, ns, "webapp") == "" {
			return fmt.Errorf("none")
		}
		return nil
	})

	cp.Kubectl(t, "-n", ns, "patch", "receiver", "oidc", "--type=json", "-p", `[{"op":"replace","path":"/spec/oidcProviders/0/validations/1/expression","value":"claims.ref"}]`)
	r = receiver(t, cp, ns, "oidc", "False")
	const field = "spec.oidcProviders[0].validations[1].expression:1:1: the result is of type dyn"
	if stalled := r.Status.Conditions[0]; stalled.Type != "Stalled" || stalled.Reason != "InvalidCELExpression" || !strings.Contains(stalled.Message, field) {
		t.Errorf("with a broken validation: %+v", r.Status)
	}
	if text := warning(t, cp, ns, "Receiver", "oidc", "InvalidCELExpression"); !strings.Contains(text, field) {
		t.Errorf("Warning %q does not name the field", text)
	}
}
