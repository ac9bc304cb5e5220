package registry

import (
	"io"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/githosttest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// gitFixtures are the fixtures of the types that write to Git hosts.
func gitFixtures() map[string]providertest.Fixture {
	config := func(path string) func(url string) provider.Config {
		return func(url string) provider.Config {
			return provider.Config{Address: url + path, Token: "planted-token"}
		}
	}
	status := func(path string) providertest.Fixture {
		return providertest.Fixture{Config: config(path), Prepare: aboutCommit, Success: emptyHost, Lookup: looksAround}
	}
	comment := func(path string) providertest.Fixture {
		return providertest.Fixture{Config: config(path), Prepare: onChangeRequest, Success: emptyHost, Lookup: looksAround}
	}
	bitbucket := status("/acme/webapp")
	bitbucket.FixedHost = true
	bitbucket.Config = func(string) provider.Config {
		return provider.Config{Address: "https://bitbucket.org/acme/webapp", Token: "planted-user:planted-password"}
	}
	return map[string]providertest.Fixture{
		"azuredevops":               status("/a/b/_git/webapp"),
		"bitbucket":                 bitbucket,
		"bitbucketserver":           status("/scm/acme/webapp.git"),
		"gitea":                     status("/acme/webapp"),
		"giteapullrequestcomment":   comment("/acme/webapp"),
		"github":                    status("/acme/webapp"),
		"githubdispatch":            {Config: config("/acme/webapp")},
		"githubpullrequestcomment":  comment("/acme/webapp"),
		"gitlab":                    status("/acme/group/webapp"),
		"gitlabmergerequestcomment": comment("/acme/group/webapp"),
	}
}

func aboutCommit(n *provider.Notification) { n.StatusID = "kustomization/webapp/4a8b6c1e" }

func onChangeRequest(n *provider.Notification) { n.Event.Metadata[event.KeyChangeRequest] = "7" }

func looksAround(r *http.Request) bool { return r.Method == http.MethodGet }

// emptyHost answers as a host does on which nothing has been written yet.
func emptyHost(w http.ResponseWriter, r *http.Request) {
	if r.Method == http.MethodGet {
		githosttest.Empty(w, r)
		return
	}
	_, _ = io.WriteString(w, `{"id":1}`)
}

// gitGoldenProviders are those of the recorded Providers that write to Git hosts.
func gitGoldenProviders() map[string]goldenProvider {
	at := func(kind, path, token string) goldenProvider {
		return goldenProvider{kind, func(url string) provider.Config {
			return provider.Config{Address: url + path, Token: token}
		}}
	}
	return map[string]goldenProvider{
		"azuredevops": at("azuredevops", "/org/proj/_git/app", "aztok"),
		"bitbucketserver": {"bitbucketserver", func(url string) provider.Config {
			return provider.Config{Address: url + "/scm/prj/app.git", Username: "u", Password: "p"}
		}},
		"gitea":                     at("gitea", "/org/app", "gttok"),
		"giteapullrequestcomment":   at("giteapullrequestcomment", "/org/app", "gttok"),
		"github":                    at("github", "/org/app", "ghtok"),
		"githubdispatch":            at("githubdispatch", "/org/app", "ghtok"),
		"githubpullrequestcomment":  at("githubpullrequestcomment", "/org/app", "ghtok"),
		"gitlab":                    at("gitlab", "/group/sub/app", "gltok"),
		"gitlabmergerequestcomment": at("gitlabmergerequestcomment", "/group/sub/app", "gltok"),
	}
}
