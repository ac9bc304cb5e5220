// Package bitbucket tells Bitbucket Cloud about commits.
//
// Source: https://developer.atlassian.com/cloud/bitbucket/rest/api-group-commit-statuses/
package bitbucket

import (
	"cmp"
	"context"
	"net/http"
	"os"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

const (
	api = "https://api.bitbucket.org/2.0"
	// apiVariable is the environment variable that overrides it, for those who have a server between.
	apiVariable = "BITBUCKET_API_BASE_URL"
	// website is where the link of a status leads, which has to lead somewhere.
	website = "https://bitbucket.org"
	// maxDescription is a bound of ours: Bitbucket names none.
	maxDescription = 255
	// maxName is how many characters the name of a build may have.
	//
	// Source: https://github.com/jenkinsci/bitbucket-branch-source-plugin/pull/928
	maxName = 255
)

// New returns a Sender of type bitbucket, which sets the state of commits. The address is that of a repository, or
// its OWNER/NAME alone. The error names what to change: the address, or a key of the Secret.
func New(cfg provider.Config) (provider.Sender, error) {
	address, err := git.ParseAddress(complete(cfg.Address))
	if err != nil {
		return nil, err
	}
	owner, name, err := address.OwnerAndName()
	if err != nil {
		return nil, err
	}
	header, err := authorization(cfg.Token)
	if err != nil {
		return nil, err
	}
	return &git.StatusSender{
		Host: statuses{
			path: "/repositories/" + git.Escape(owner, name) + "/commit/",
			client: &git.Client{
				HTTP:       cfg.Client,
				Base:       cmp.Or(strings.TrimSuffix(os.Getenv(apiVariable), "/"), api),
				Authorize:  git.Fixed(header),
				Credential: provider.SecretKey("token"),
				Provider:   cfg.Provider,
			},
		},
		Words:          git.Words{Success: "SUCCESSFUL", Failure: "FAILED"},
		MaxDescription: maxDescription,
		States:         cfg.States,
	}, nil
}

// complete puts the website before OWNER/NAME: there is only one.
func complete(address string) string {
	path := strings.TrimLeft(address, "/")
	if strings.ContainsAny(path, ":@") || strings.Count(path, "/") != 1 {
		return address
	}
	return website + "/" + path
}

// authorization returns the header for a token that is USER:PASSWORD.
func authorization(token string) (http.Header, error) {
	token = strings.TrimSpace(token)
	if token == "" {
		return nil, provider.MissingKey("token")
	}
	user, password, found := strings.Cut(token, ":")
	if !found || strings.Contains(password, ":") {
		return nil, provider.Permanentf(provider.ReasonSecret, "%s: invalid token format, expected to be <user>:<password>", provider.SecretKey("token"))
	}
	return http.Header{"Authorization": {httpx.BasicAuth(user, password)}}, nil
}

// statuses implements [git.StatusHost].
type statuses struct {
	client *git.Client
	// path ends before the commit.
	path string
}

// build is a build status as Bitbucket takes it, and shows it.
type build struct {
	Key         string `json:"key"`
	URL         string `json:"url"`
	State       string `json:"state"`
	Name        string `json:"name"`
	Description string `json:"description"`
}

// Shown asks for the one build.
func (s statuses) Shown(ctx context.Context, want git.Status, _ string) (git.Shown, error) {
	var found build
	answer, err := s.client.Do(ctx, git.Call{
		Method: http.MethodGet,
		Path:   s.path + want.Commit + "/statuses/build/" + git.BuildKey(want.Context),
		Out:    &found,
	})
	if answer != nil && answer.StatusCode == http.StatusNotFound {
		// There is no build yet, or no such commit or repository: that shows when the build is set.
		return git.Shown{}, nil
	}
	return git.Shown{State: found.State, Description: found.Description}, err
}

// Set creates the build or replaces it.
func (s statuses) Set(ctx context.Context, want git.Status) error {
	_, err := s.client.Do(ctx, git.Call{
		Method: http.MethodPost,
		Path:   s.path + want.Commit + "/statuses/build",
		In:     build{git.BuildKey(want.Context), website, want.State, provider.CutRunes(want.Name, maxName), want.Description},
		Commit: want.Commit,
	})
	return err
}
