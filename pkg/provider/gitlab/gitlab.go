// Package gitlab tells GitLab about commits and merge requests.
//
// Source: https://docs.gitlab.com/api/rest/
package gitlab

import (
	"net/http"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

// project is one project and the client of its host.
type project struct {
	client *git.Client
	// path is /projects/ID.
	path string
}

// newProject reads what the two types have in common: the address and the token. The error names what to change.
func newProject(cfg provider.Config) (*project, error) {
	address, err := git.ParseAddress(cfg.Address)
	if err != nil {
		return nil, err
	}
	token, err := git.Token(cfg)
	if err != nil {
		return nil, err
	}
	header, err := git.Authenticate(provider.SecretKey("token"), "Private-Token", token)
	if err != nil {
		return nil, err
	}
	// The ID is a number, or the path, as one element, of which some proxies would take a dot for their own.
	id := strings.ReplaceAll(git.Escape(strings.Join(address.Path, "/")), ".", "%2E")
	return &project{
		path: "/projects/" + id,
		client: &git.Client{
			HTTP:       cfg.Client,
			Base:       address.Base.String() + "/api/v4",
			Header:     http.Header{"Accept": {"application/json"}},
			Authorize:  git.Fixed(header),
			Credential: provider.SecretKey("token"),
			Provider:   cfg.Provider,
		},
	}, nil
}
