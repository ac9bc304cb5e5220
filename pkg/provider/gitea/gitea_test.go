package gitea

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

const commit = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"

func TestAddresses(t *testing.T) {
	githosttest.CheckAddresses(t, New, provider.Config{Token: "t"}, map[string]string{
		"https://gitea.com/acme/webapp":           "https://gitea.com/api/v1/repos/acme/webapp/statuses/" + commit,
		"git@codeberg.org:acme/webapp.git":        "https://codeberg.org/api/v1/repos/acme/webapp/statuses/" + commit,
		"http://gitea.gitea.svc:3000/acme/webapp": "http://gitea.gitea.svc:3000/api/v1/repos/acme/webapp/statuses/" + commit,
	})
}

func TestRefused(t *testing.T) {
	for _, construct := range []providertest.Constructor{New, NewPullRequestComment} {
		providertest.CheckRefused(t, construct, provider.Config{Token: "t", Address: "https://gitea.com/acme"}, "invalid repository id 'acme'")
		providertest.CheckRefused(t, construct, provider.Config{Address: "https://gitea.com/a/b"}, "token")
		providertest.CheckRefused(t, construct, provider.Config{Address: "https://gitea.com/a/b", Token: "planted\n\n\x00"}, "token")
	}
}

func TestCredentials(t *testing.T) {
	for want, cfg := range map[string]provider.Config{"token t": {Token: "t\n"}, "token p": {Username: "u", Password: "p"}} {
		cfg.Address = "https://gitea.com/acme/webapp"
		if got := githosttest.Capture(t, New, cfg, githosttest.Notification())[0].Header.Get("Authorization"); got != want {
			t.Errorf("Authorization is %q, want %q", got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	cfg := provider.Config{Token: "t", Address: "https://gitea.com/acme/webapp"}
	n := githosttest.Notification()
	githosttest.CheckBody(t, New, cfg, n, `{"state":"failure","target_url":"","description":"health check failed","context":"kustomization/webapp/4a8b6c1e"}`)
	// Work in progress has a state here, whatever the severity.
	for _, severity := range []string{"info", "error", "trace"} {
		n.Event.Reason, n.Event.Severity = "Progressing", severity
		githosttest.CheckBody(t, New, cfg, n, `{"state":"pending","target_url":"","description":"progressing","context":"kustomization/webapp/4a8b6c1e"}`)
	}
}
