package github

import (
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

const commit = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"

func TestAddresses(t *testing.T) {
	const api = "https://api.github.com/repos/acme/webapp/statuses/" + commit
	githosttest.CheckAddresses(t, New, provider.Config{Token: "t"}, map[string]string{
		"https://github.com/acme/webapp":           api,
		"https://github.com/acme/webapp.git":       api,
		"git@github.com:acme/webapp.git":           api,
		"ssh://git@github.com/acme/webapp":         api,
		"ssh://git@ssh.github.com:443/acme/webapp": api,
		"https://www.github.com/acme/webapp":       api,
		"https://ghe.example.com/acme/webapp":      "https://ghe.example.com/api/v3/repos/acme/webapp/statuses/" + commit,
		"ssh://git@ghe.example.com:8443/a/b.c":     "https://ghe.example.com:8443/api/v3/repos/a/b.c/statuses/" + commit,
		"http://127.0.0.1:3000/acme/webapp":        "http://127.0.0.1:3000/api/v3/repos/acme/webapp/statuses/" + commit,
		"https://api.acme.ghe.com/acme/webapp":     "https://api.acme.ghe.com/repos/acme/webapp/statuses/" + commit,
		"https://x.api.example.com/acme/webapp":    "https://x.api.example.com/repos/acme/webapp/statuses/" + commit,
		"https://github.com/acme/web%3Fapp":        "https://api.github.com/repos/acme/web%3Fapp/statuses/" + commit,
	})
}

func TestRefused(t *testing.T) {
	for _, construct := range []providertest.Constructor{New, NewDispatch, NewPullRequestComment} {
		for address, field := range map[string]string{
			"": "spec.address", "https://github.com/planted": "invalid repository id", "https://github.com/a/b/c": "invalid repository id 'a/b/c'",
		} {
			providertest.CheckRefused(t, construct, provider.Config{Token: "t", Address: strings.ReplaceAll(address, "planted", "acme")}, field)
		}
		providertest.CheckRefused(t, construct, provider.Config{Address: "https://github.com/a/b"}, "token")
		providertest.CheckRefused(t, construct, provider.Config{Address: "https://github.com/a/b", Token: "planted\r\nX: y"}, "token")
	}
}

func TestCredentials(t *testing.T) {
	for want, cfg := range map[string]provider.Config{
		"Bearer t": {Token: "t\n"},
		"Bearer p": {Username: "u", Password: "p"},
	} {
		cfg.Address = "https://github.com/acme/webapp"
		sent := githosttest.Capture(t, New, cfg, githosttest.Notification())[0]
		if got := sent.Header.Get("Authorization"); got != want {
			t.Errorf("Authorization is %q, want %q", got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	cfg := provider.Config{Token: "t", Address: "https://github.com/acme/webapp"}
	githosttest.CheckBody(t, New, cfg, githosttest.Notification(),
		`{"state":"failure","description":"health check failed","context":"kustomization/webapp/4a8b6c1e"}`)
	n := githosttest.Notification()
	n.Event.Reason = strings.Repeat("é", 1000)
	githosttest.CheckBody(t, New, cfg, n,
		`{"state":"failure","description":"`+strings.Repeat("é", 139)+`…","context":"kustomization/webapp/4a8b6c1e"}`)
}

func TestContextLimit(t *testing.T) {
	githosttest.CheckLongNames(t, New, provider.Config{Token: "t", Address: "https://github.com/acme/webapp"}, "context")
}

func TestDispatchLimits(t *testing.T) {
	cfg := provider.Config{Token: "t", Address: "https://github.com/acme/webapp"}
	for name, n := range providertest.LongNotifications() {
		n.Event.InvolvedObject.Name = strings.Repeat("n", 200)
		body := githosttest.Capture(t, NewDispatch, cfg, n)[0].Body
		_, payload, _ := strings.Cut(body, `"client_payload":`)
		if len([]rune(payload)) > maxPayload+1 {
			t.Errorf("%s: the payload has %d characters", name, len([]rune(payload)))
		}
		eventType, _, _ := strings.Cut(strings.TrimPrefix(body, `{"event_type":"`), `"`)
		if len([]rune(eventType)) != maxEventType || !strings.HasPrefix(eventType, "Kustomization/nnn") {
			t.Errorf("%s: the type is %q", name, eventType)
		}
	}
}

func TestCommentLimit(t *testing.T) {
	cfg := provider.Config{Token: "t", Address: "https://github.com/acme/webapp"}
	for name, n := range providertest.LongNotifications() {
		n.Event.Metadata["change_request"] = "7"
		body := githosttest.Capture(t, NewPullRequestComment, cfg, n)[0].Body
		if got := providertest.Field(t, body, "body"); len([]rune(got)) > maxComment || !strings.Contains(got, "<!-- flux-pr-comment-key:"+n.Provider.UID) {
			t.Errorf("%s: the comment has %d characters: %.200s", name, len([]rune(got)), got)
		}
	}
}
