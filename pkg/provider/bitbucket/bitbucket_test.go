package bitbucket

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

const commit = "731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"

func TestAddresses(t *testing.T) {
	const builds = "https://api.bitbucket.org/2.0/repositories/acme/webapp/commit/" + commit + "/statuses/build"
	addresses := map[string]string{
		"https://bitbucket.org/acme/webapp":     builds,
		"git@bitbucket.org:acme/webapp.git":     builds,
		"https://elsewhere.invalid/acme/webapp": builds,
		"acme/webapp":                           builds,
		"/acme/webapp.git":                      builds,
	}
	githosttest.CheckAddresses(t, New, provider.Config{Token: "u:p"}, addresses)
	t.Setenv("BITBUCKET_API_BASE_URL", "http://127.0.0.1:1/2.0/")
	githosttest.CheckAddresses(t, New, provider.Config{Token: "u:p"}, map[string]string{
		"https://bitbucket.org/acme/webapp": "http://127.0.0.1:1/2.0/repositories/acme/webapp/commit/" + commit + "/statuses/build",
	})
}

func TestRefused(t *testing.T) {
	for token, field := range map[string]string{"": "token", "planted": "expected to be <user>:<password>", "planted:a:b": "expected to be <user>:<password>"} {
		providertest.CheckRefused(t, New, provider.Config{Token: token, Address: "https://bitbucket.org/a/b"}, field)
	}
	providertest.CheckRefused(t, New, provider.Config{Token: "u:p", Address: "https://bitbucket.org/a/b/c"}, "invalid repository id")
}

// TestStatus has the key of spec/providers.md §13.6.
func TestStatus(t *testing.T) {
	cfg := provider.Config{Token: "u:p\n", Address: "https://bitbucket.org/acme/webapp"}
	githosttest.CheckBody(t, New, cfg, githosttest.Notification(),
		`{"key":"855f6b45b7a7401b3df41e0ad23086a66405c683","url":"https://bitbucket.org","state":"FAILED","name":"kustomization/webapp","description":"health check failed"}`)
	if got := githosttest.Capture(t, New, cfg, githosttest.Notification())[0].Header.Get("Authorization"); got != "Basic dTpw" {
		t.Errorf("Authorization is %q", got)
	}
}

func TestNameLimit(t *testing.T) {
	githosttest.CheckLongNames(t, New, provider.Config{Token: "u:p", Address: "https://bitbucket.org/acme/webapp"}, "name")
}
