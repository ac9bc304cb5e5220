package gitlab

import (
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

const commit = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"

func TestAddresses(t *testing.T) {
	githosttest.CheckAddresses(t, New, provider.Config{Token: "t"}, map[string]string{
		"https://gitlab.com/acme/webapp":              "https://gitlab.com/api/v4/projects/acme%2Fwebapp/statuses/" + commit,
		"git@gitlab.com:acme/group/sub/webapp.git":    "https://gitlab.com/api/v4/projects/acme%2Fgroup%2Fsub%2Fwebapp/statuses/" + commit,
		"ssh://git@gitlab.example.com:2222/a/b.c.git": "https://gitlab.example.com:2222/api/v4/projects/a%2Fb%2Ec/statuses/" + commit,
		"https://gitlab.com/1234":                     "https://gitlab.com/api/v4/projects/1234/statuses/" + commit,
	})
}

func TestRefused(t *testing.T) {
	for _, construct := range []providertest.Constructor{New, NewMergeRequestComment} {
		providertest.CheckRefused(t, construct, provider.Config{Token: "t"}, "spec.address")
		providertest.CheckRefused(t, construct, provider.Config{Address: "https://gitlab.com/a/b"}, "token")
		providertest.CheckRefused(t, construct, provider.Config{Address: "https://gitlab.com/a/b", Token: "planted\x00"}, "token")
	}
}

func TestCredentials(t *testing.T) {
	for want, cfg := range map[string]provider.Config{"t": {Token: " t\n"}, "p": {Username: "u", Password: "p"}} {
		cfg.Address = "https://gitlab.com/acme/webapp"
		if got := githosttest.Capture(t, New, cfg, githosttest.Notification())[0].Header.Get("Private-Token"); got != want {
			t.Errorf("Private-Token is %q, want %q", got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	cfg := provider.Config{Token: "t", Address: "https://gitlab.com/acme/webapp"}
	githosttest.CheckBody(t, New, cfg, githosttest.Notification(),
		`{"state":"failed","name":"kustomization/webapp/4a8b6c1e","description":"health check failed"}`)
	n := githosttest.Notification()
	n.Event.Reason = strings.Repeat("é", 1000)
	githosttest.CheckBody(t, New, cfg, n,
		`{"state":"failed","name":"kustomization/webapp/4a8b6c1e","description":"`+strings.Repeat("é", 254)+`…"}`)
}

func TestNameLimit(t *testing.T) {
	githosttest.CheckLongNames(t, New, provider.Config{Token: "t", Address: "https://gitlab.com/acme/webapp"}, "name")
}

func TestComment(t *testing.T) {
	cfg := provider.Config{Token: "t", Address: "https://gitlab.com/acme/webapp"}
	sent := githosttest.Capture(t, NewMergeRequestComment, cfg, githosttest.Notification())[0]
	const want = "<!-- flux-mr-comment-key:4a8b6c1e-9f03-4d52-8f2b-0d9e7a5c3b21/Kustomization/apps/webapp -->\n\n## Flux Status\n\n" +
		"⚠️ Kustomization/apps/webapp\n\nDeployment/apps/webapp status: 'Failed' <timeout 5m0s>\nsecond line\n\nMetadata:\n" +
		"* `cluster`: prod-eu-1\n* `revision`: main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1\n* `summary`: payments stack\n"
	if got := providertest.Field(t, sent.Body, "body"); got != want || sent.URL != "https://gitlab.com/api/v4/projects/acme%2Fwebapp/merge_requests/7/notes" {
		t.Errorf("wrote to %s:\n%s\nwant\n%s", sent.URL, got, want)
	}
}
