// Package gitea tells Gitea, and Forgejo, about commits and pull requests.
//
// Source: https://docs.gitea.com/api/
package gitea

import (
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

// repository is one repository and the client of its host.
type repository struct {
	client *git.Client
	// path is /repos/OWNER/NAME.
	path string
}

// newRepository reads what the two types have in common: the address and the token. The error names what to change.
func newRepository(cfg provider.Config) (*repository, error) {
	address, err := git.ParseAddress(cfg.Address)
	if err != nil {
		return nil, err
	}
	owner, name, err := address.OwnerAndName()
	if err != nil {
		return nil, err
	}
	token, err := git.Token(cfg)
	if err != nil {
		return nil, err
	}
	header, err := git.Authenticate(provider.SecretKey("token"), "Authorization", "token "+token)
	if err != nil {
		return nil, err
	}
	return &repository{
		path: "/repos/" + git.Escape(owner, name),
		client: &git.Client{
			HTTP:       cfg.Client,
			Base:       address.Base.String() + "/api/v1",
			Authorize:  git.Fixed(header),
			Credential: provider.SecretKey("token"),
			Provider:   cfg.Provider,
		},
	}, nil
}
