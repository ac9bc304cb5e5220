package azuredevops

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

const commit = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"

func TestAddresses(t *testing.T) {
	const statuses = "https://dev.azure.com/foo/bar/_apis/git/repositories/baz/commits/" + commit + "/statuses"
	githosttest.CheckAddresses(t, New, provider.Config{Token: "t"}, map[string]string{
		"https://dev.azure.com/foo/bar/_git/baz":             statuses,
		"https://user@dev.azure.com/Foo/bar/_git/baz":        statuses,
		"git@ssh.dev.azure.com:v3/foo/bar/baz":               statuses,
		"https://dev.azure.com/foo/_git/baz":                 "https://dev.azure.com/foo/baz/_apis/git/repositories/baz/commits/" + commit + "/statuses",
		"https://dev.azure.com/foo/my%20project/_git/my%20r": "https://dev.azure.com/foo/my%20project/_apis/git/repositories/my%20r/commits/" + commit + "/statuses",
		"https://foo.visualstudio.com/bar/_git/baz":          "https://foo.visualstudio.com/bar/_apis/git/repositories/baz/commits/" + commit + "/statuses",
		"https://tfs.example.com/tfs/Default/bar/_git/baz":   "https://tfs.example.com/tfs/default/bar/_apis/git/repositories/baz/commits/" + commit + "/statuses",
	})
}

func TestRefused(t *testing.T) {
	for _, address := range []string{"https://dev.azure.com/foo/bar/baz", "https://dev.azure.com/foo/_git", "https://dev.azure.com/_git/baz", "https://dev.azure.com/a/b/_git/c/d"} {
		providertest.CheckRefused(t, New, provider.Config{Token: "t", Address: address}, "invalid repository id")
	}
	providertest.CheckRefused(t, New, provider.Config{Address: "https://dev.azure.com/foo/bar/_git/baz"}, "token")
}

func TestStatus(t *testing.T) {
	cfg := provider.Config{Token: "t", Address: "https://dev.azure.com/foo/bar/_git/baz"}
	n := githosttest.Notification()
	githosttest.CheckBody(t, New, cfg, n, `{"context":{"genre":"fluxcd:payments stack","name":"kustomization/webapp/4a8b6c1e"},"description":"health check failed","state":"error"}`)
	n.Event.Metadata["summary"] = ""
	githosttest.CheckBody(t, New, cfg, n, `{"context":{"genre":"fluxcd:","name":"kustomization/webapp/4a8b6c1e"},"description":"health check failed","state":"error"}`)
	delete(n.Event.Metadata, "summary")
	githosttest.CheckBody(t, New, cfg, n, `{"context":{"genre":"fluxcd","name":"kustomization/webapp/4a8b6c1e"},"description":"health check failed","state":"error"}`)
}

// identity is one that has a token, or has none.
type identity struct {
	provider.Identity
	err error
}

func (i identity) Azure(_ context.Context, scope string) (string, error) {
	if !strings.HasPrefix(scope, "499b84ac-1321-427f-aa17-267ca6975798/") {
		return "", errors.New("not the scope of Azure DevOps")
	}
	return "identity-token", i.err
}

func TestCredentials(t *testing.T) {
	cfg := provider.Config{Address: "https://dev.azure.com/foo/bar/_git/baz", Identity: identity{}}
	for token, want := range map[string]string{"t\n": ":t", "": ":identity-token"} {
		cfg.Token = token
		r := &http.Request{Header: githosttest.Capture(t, New, cfg, githosttest.Notification())[0].Header}
		if username, password, _ := r.BasicAuth(); username+":"+password != want {
			t.Errorf("credentials %s:%s, want %s", username, password, want)
		}
	}
	failure := provider.Permanentf(provider.ReasonAuth, "no identity")
	cfg.Token, cfg.Identity = "", identity{err: failure}
	if err := providertest.Attempt(t, New, cfg, githosttest.Notification()); !errors.Is(err, failure) {
		t.Errorf("got %v", err)
	}
}

// TestIdentityStaysInTheCloud names servers that a tenant may have set up to be given the controller's token.
func TestIdentityStaysInTheCloud(t *testing.T) {
	for address, allowed := range map[string]bool{
		"https://dev.azure.com/foo/bar/_git/baz":             true,
		"git@ssh.dev.azure.com:v3/foo/bar/baz":               true,
		"https://foo.visualstudio.com/bar/_git/baz":          true,
		"http://dev.azure.com/foo/bar/_git/baz":              false,
		"https://dev.azure.com:8443/foo/bar/_git/baz":        false,
		"https://dev.azure.com.example.com/foo/bar/_git/baz": false,
		"https://evilvisualstudio.com/foo/bar/_git/baz":      false,
		"https://tfs.example.com/tfs/bar/_git/baz":           false,
	} {
		cfg := provider.Config{Address: address, Identity: identity{}}
		if _, err := New(cfg); (err == nil) != allowed {
			t.Errorf("%s, the controller's identity: %v", address, err)
		}
		cfg.ServiceAccountName = "own"
		if _, err := New(cfg); err != nil {
			t.Errorf("%s, an identity of its own: %v", address, err)
		}
	}
}

// TestSignInPage checks the answer that Azure DevOps gives to a token which has expired.
func TestSignInPage(t *testing.T) {
	service := providertest.Serve(t, providertest.Answering(http.StatusNonAuthoritativeInfo, "<html>Sign in"))
	err := providertest.Attempt(t, New, provider.Config{
		Address: service.URL + "/foo/bar/_git/baz", Token: "planted", Provider: provider.Object{Namespace: "apps", Name: "prov"},
	}, githosttest.Notification())
	if got := provider.Classify(err); got.Kind != provider.Permanent || got.Reason != provider.ReasonAuth || !strings.Contains(err.Error(), "Provider 'apps/prov'") {
		t.Errorf("got %v", err)
	}
}

// TestRevokedToken has the service refuse a token that is kept: the next attempt comes with another one.
func TestRevokedToken(t *testing.T) {
	for _, status := range []int{http.StatusUnauthorized, http.StatusNonAuthoritativeInfo} {
		service := providertest.Serve(t, func(w http.ResponseWriter, r *http.Request) {
			if _, password, _ := r.BasicAuth(); password == "token-0" {
				w.WriteHeader(status)
				return
			}
			_, _ = io.WriteString(w, "{}")
		})
		cfg := provider.Config{Address: service.URL + "/foo/bar/_git/baz", Identity: &providertest.RenewingIdentity{}, ServiceAccountName: "own"}
		err := providertest.Attempt(t, New, cfg, githosttest.Notification())
		if got := provider.Classify(err); err == nil || got.Kind != provider.Transient || got.Reason != provider.ReasonAuth || !strings.Contains(err.Error(), "spec.serviceAccountName") {
			t.Errorf("%d: %v", status, err)
		}
		if err := providertest.Attempt(t, New, cfg, githosttest.Notification()); err != nil {
			t.Errorf("%d, another token: %v", status, err)
		}
	}
}
