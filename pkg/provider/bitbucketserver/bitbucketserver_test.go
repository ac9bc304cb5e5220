package bitbucketserver

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
		"https://h:7990/scm/p/r.git":           "https://h:7990/rest/api/latest/projects/p/repos/r/commits/" + commit + "/builds",
		"https://h:7990/ctx1/ctx2/scm/p/r.git": "https://h:7990/ctx1/ctx2/rest/api/latest/projects/p/repos/r/commits/" + commit + "/builds",
		"https://h:7990/scm/scm/p/r.git":       "https://h:7990/scm/rest/api/latest/projects/p/repos/r/commits/" + commit + "/builds",
		"http://h/scm/~user/r":                 "http://h/rest/api/latest/projects/~user/repos/r/commits/" + commit + "/builds",
	})
}

func TestRefused(t *testing.T) {
	for address, says := range map[string]string{
		"":                              "spec.address",
		"ssh://git@planted/scm/p/r.git": "has to start with http",
		"https://planted/p/r.git":       "is not an HTTP(S) Git clone URL",
		"https://planted/scm/r.git":     "invalid repository id 'r'",
		"https://planted/scm/a/b/c.git": "invalid repository id 'a/b/c'",
		"https://planted/scm//b.git":    "invalid repository id",
	} {
		providertest.CheckRefused(t, New, provider.Config{Token: "t", Address: address}, says)
	}
	for _, cfg := range []provider.Config{{}, {Username: "planted"}, {Password: "planted"}, {Token: "planted\x00"}} {
		cfg.Address = "https://h/scm/p/r.git"
		providertest.CheckRefused(t, New, cfg, "token")
	}
}

func TestCredentials(t *testing.T) {
	for want, cfg := range map[string]provider.Config{
		"Bearer t": {Token: "t\n", Username: "u", Password: "p"}, "Basic dTpw": {Username: "u", Password: "p"},
	} {
		cfg.Address = "https://h/scm/p/r.git"
		if got := githosttest.Capture(t, New, cfg, githosttest.Notification())[0].Header.Get("Authorization"); got != want {
			t.Errorf("Authorization is %q, want %q", got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	cfg := provider.Config{Token: "t", Address: "https://bitbucket.example.com/scm/pay/webapp.git"}
	githosttest.CheckBody(t, New, cfg, githosttest.Notification(), `{"description":"health check failed","key":"855f6b45b7a7401b3df41e0ad23086a66405c683",`+
		`"name":"kustomization/webapp [health check failed]","state":"FAILED","url":"https://bitbucket.example.com/scm/pay/webapp.git"}`)
	n := githosttest.Notification()
	n.Event.Reason = strings.Repeat("é", 1000)
	cfg.Address = "https://user:planted@bitbucket.example.com/scm/pay/webapp.git"
	githosttest.CheckBody(t, New, cfg, n, `{"description":"`+strings.Repeat("é", 254)+`…","key":"855f6b45b7a7401b3df41e0ad23086a66405c683",`+
		`"name":"kustomization/webapp [`+strings.Repeat("é", 232)+`…","state":"FAILED","url":"https://bitbucket.example.com/scm/pay/webapp.git"}`)
}
