package github

import (
	"context"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

// maxDescription is how many characters GitHub shows of a status' description, and takes. That page does not say so,
// but the API's answer to longer ones does: "description is too long (maximum is 140 characters)".
//
// Source: https://docs.github.com/en/rest/commits/statuses
const maxDescription = 140

// maxContext is how many characters GitHub takes of a status' context.
//
// Source: https://github.com/runatlantis/atlantis/issues/2506
const maxContext = 255

// New returns a Sender of type github, which sets the state of commits. The address is that of a repository. The error
// names what to change: the address, or a key of the Secret.
func New(cfg provider.Config) (provider.Sender, error) {
	r, err := newRepository(cfg)
	if err != nil {
		return nil, err
	}
	return &git.StatusSender{
		Host:           statuses{r},
		Words:          git.Words{Success: "success", Failure: "failure"},
		MaxDescription: maxDescription,
		MaxContext:     maxContext,
		States:         cfg.States,
	}, nil
}

// statuses implements [git.StatusHost].
type statuses struct{ *repository }

// status is a commit status as GitHub shows it and takes it.
type status struct {
	State       string `json:"state"`
	Description string `json:"description"`
	Context     string `json:"context"`
}

// Shown looks among the 100 newest statuses of the commit: one that is older is set anew.
func (s statuses) Shown(ctx context.Context, want git.Status, etag string) (git.Shown, error) {
	var found []status
	call := git.Call{
		Method: http.MethodGet,
		Path:   s.path + "/commits/" + want.Commit + "/statuses?per_page=100",
		Out:    &found,
		Commit: want.Commit,
	}
	if etag != "" {
		call.Header = http.Header{"If-None-Match": {etag}}
	}
	answer, err := s.client.Do(ctx, call)
	if err != nil {
		return git.Shown{}, err
	}
	if answer.StatusCode == http.StatusNotModified {
		return git.Shown{Same: true}, nil
	}
	shown := git.Shown{ETag: answer.Header.Get("ETag")}
	for _, candidate := range found {
		if candidate.Context == want.Context {
			shown.State, shown.Description = candidate.State, candidate.Description
			break
		}
	}
	return shown, nil
}

// Set creates a status; GitHub shows the newest of each context.
func (s statuses) Set(ctx context.Context, want git.Status) error {
	_, err := s.client.Do(ctx, git.Call{
		Method: http.MethodPost,
		Path:   s.path + "/statuses/" + want.Commit,
		In:     status{want.State, want.Description, want.Context},
		Commit: want.Commit,
	})
	return err
}
