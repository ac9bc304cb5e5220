// Package bitbucketserver tells Bitbucket Server and Data Center about commits.
//
// Source: https://developer.atlassian.com/server/bitbucket/rest/v906/api-group-builds-and-deployments/
package bitbucketserver

import (
	"context"
	"net/http"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

const (
	// clonePath is in every URL to clone from over HTTP, and ends what comes from a proxy before the server.
	clonePath = "/scm/"
	// maxName is how many characters name and description of a build may have.
	//
	// Source: that of the package, property "name"
	maxName = 255
)

// New returns a Sender of type bitbucketserver, which sets the state of commits. The address is the URL to clone a
// repository from over HTTP. The error names what to change: the address, or a key of the Secret.
func New(cfg provider.Config) (provider.Sender, error) {
	base, err := apiBase(cfg.Address)
	if err != nil {
		return nil, err
	}
	website, err := withoutUser(cfg.Address)
	if err != nil {
		return nil, err
	}
	credential, header, err := authorization(cfg)
	if err != nil {
		return nil, err
	}
	return &git.StatusSender{
		Host: statuses{
			website: website,
			client: &git.Client{
				HTTP: cfg.Client,
				Base: base,
				// Without these the server takes the call for one that a page had a browser make.
				Header: http.Header{
					"X-Atlassian-Token": {"no-check"},
					"X-Requested-With":  {"XMLHttpRequest"},
				},
				Authorize:  git.Fixed(header),
				Credential: credential,
				Provider:   cfg.Provider,
			},
		},
		Words:          git.Words{Success: "SUCCESSFUL", Failure: "FAILED"},
		MaxDescription: maxName,
		States:         cfg.States,
	}, nil
}

// apiBase is the URL of a repository's commits.
func apiBase(address string) (string, error) {
	u, err := httpx.ParseURL(address)
	if err != nil {
		return "", err
	}
	i := strings.LastIndex(u.Path, clonePath)
	if i < 0 {
		return "", httpx.AddressError("is not an HTTP(S) Git clone URL: it has to be like https://HOST/scm/PROJECT/REPOSITORY.git")
	}
	elements := strings.Split(strings.Trim(strings.TrimSuffix(strings.TrimSuffix(u.Path[i+len(clonePath):], "/"), ".git"), "/"), "/")
	if len(elements) != 2 || elements[0] == "" || elements[1] == "" {
		return "", git.InvalidRepository(elements, "PROJECT/REPOSITORY after "+clonePath)
	}
	context := git.Escape(strings.Split(u.Path[:i], "/")...)
	return u.Scheme + "://" + u.Host + context + "/rest/api/latest/projects/" + git.Escape(elements[0]) + "/repos/" + git.Escape(elements[1]) + "/commits", nil
}

// withoutUser returns the address for others to see. One without a password is left as it is, byte for byte.
func withoutUser(address string) (string, error) {
	u, err := httpx.ParseURL(address)
	if err != nil || u.User == nil {
		return address, err
	}
	u.User = nil
	return u.String(), nil
}

// authorization returns the header for what the Secret holds, and which keys that is. A token goes first.
func authorization(cfg provider.Config) (credential string, header http.Header, err error) {
	switch token := strings.TrimSpace(cfg.Token); {
	case token != "":
		credential = provider.SecretKey("token")
		header, err = git.Authenticate(credential, "Authorization", "Bearer "+token)
		return credential, header, err
	case cfg.Username != "" && cfg.Password != "":
		credential = provider.SecretKey("password")
		return credential, http.Header{"Authorization": {httpx.BasicAuth(cfg.Username, cfg.Password)}}, nil
	default:
		return "", nil, provider.Permanentf(provider.ReasonSecret,
			"%s is missing or empty, and so are username and password: invalid credentials, expected to be one of username/password or API Token", provider.SecretKey("token"))
	}
}

// statuses implements [git.StatusHost].
type statuses struct {
	client *git.Client
	// website is where the link of a build leads.
	website string
}

// build is a build status as the server takes it, and shows it.
type build struct {
	Description string `json:"description"`
	Key         string `json:"key"`
	Name        string `json:"name"`
	State       string `json:"state"`
	URL         string `json:"url"`
}

// Shown asks for the one build.
func (s statuses) Shown(ctx context.Context, want git.Status, _ string) (git.Shown, error) {
	var found build
	answer, err := s.client.Do(ctx, git.Call{
		Method: http.MethodGet,
		Path:   "/" + want.Commit + "/builds?key=" + git.BuildKey(want.Context),
		Out:    &found,
	})
	if answer != nil && answer.StatusCode == http.StatusNotFound {
		// There is no build yet, or no such commit or repository: that shows when the build is set.
		return git.Shown{}, nil
	}
	if err != nil || found.Key != git.BuildKey(want.Context) || found.Name != name(want) {
		return git.Shown{}, err
	}
	return git.Shown{State: found.State, Description: found.Description}, nil
}

// Set creates the build or replaces it.
func (s statuses) Set(ctx context.Context, want git.Status) error {
	_, err := s.client.Do(ctx, git.Call{
		Method: http.MethodPost,
		Path:   "/" + want.Commit + "/builds",
		In:     build{want.Description, git.BuildKey(want.Context), name(want), want.State, s.website},
		Commit: want.Commit,
	})
	return err
}

func name(s git.Status) string { return provider.CutRunes(s.Name+" ["+s.Description+"]", maxName) }
