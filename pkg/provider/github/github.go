// Package github tells GitHub, and GitHub Enterprise, about commits and pull requests, and starts workflows.
//
// Source: https://docs.github.com/en/rest
package github

import (
	"net/http"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

const (
	publicHost = "github.com"
	publicAPI  = "https://api.github.com"
	// enterprisePath is where GitHub Enterprise Server has its API.
	enterprisePath = "/api/v3"
	apiVersion     = "2022-11-28"
	// bearer begins the header that carries a token.
	bearer = "Bearer "
)

// repository is one repository and the client of its host.
type repository struct {
	client *git.Client
	// path is /repos/OWNER/NAME.
	path string
	// app is the GitHub App that the client acts as; nil with a token.
	app *app
}

// newRepository reads what the three types have in common: the address and the credential. The error names what to
// change.
func newRepository(cfg provider.Config) (*repository, error) {
	address, err := git.ParseAddress(cfg.Address)
	if err != nil {
		return nil, err
	}
	owner, name, err := address.OwnerAndName()
	if err != nil {
		return nil, err
	}
	r := &repository{
		path: "/repos/" + git.Escape(owner, name),
		client: &git.Client{
			HTTP:       cfg.Client,
			Base:       apiBase(address),
			Header:     http.Header{"Accept": {"application/vnd.github.v3+json"}, "X-Github-Api-Version": {apiVersion}},
			Credential: provider.SecretKey("token"),
			Provider:   cfg.Provider,
		},
	}
	if isApp(cfg) {
		return r, r.useApp(cfg)
	}
	return r, r.useToken(cfg)
}

func (r *repository) useToken(cfg provider.Config) error {
	token, err := git.Token(cfg)
	if err != nil {
		return provider.Permanentf(provider.ReasonSecret, "github token or github app details must be specified: %w", err)
	}
	header, err := git.Authenticate(r.client.Credential, "Authorization", bearer+token)
	if err != nil {
		return err
	}
	r.client.Authorize = git.Fixed(header)
	return nil
}

// apiBase is where the API of the repository's host is. An address may also be that of the API's host itself.
func apiBase(r git.Repository) string {
	switch host := r.Base.Hostname(); {
	case host == publicHost || host == "www."+publicHost || host == "ssh."+publicHost:
		return publicAPI
	case strings.HasPrefix(r.Base.Host, "api.") || strings.Contains(r.Base.Host, ".api."):
		return r.Base.String()
	default:
		return r.Base.String() + enterprisePath
	}
}
