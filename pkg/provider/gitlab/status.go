package gitlab

import (
	"context"
	"net/http"
	"net/url"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

// maxDescription is the size of the column that GitLab keeps a description in.
//
// Source: https://docs.gitlab.com/api/commits/#set-commit-pipeline-status
const maxDescription = 255

// maxName is the size of the column of the name, which is that of jobs: a longer one is an internal error.
//
// Source: https://gitlab.com/gitlab-org/gitlab/-/issues/342800
const maxName = 255

// New returns a Sender of type gitlab, which sets the state of commits. The address is that of a project, by its path
// or its number. The error names what to change: the address, or a key of the Secret.
func New(cfg provider.Config) (provider.Sender, error) {
	p, err := newProject(cfg)
	if err != nil {
		return nil, err
	}
	return &git.StatusSender{
		Host:           statuses{p},
		Words:          git.Words{Success: "success", Failure: "failed"},
		MaxDescription: maxDescription,
		MaxContext:     maxName,
		States:         cfg.States,
	}, nil
}

// statuses implements [git.StatusHost].
type statuses struct{ *project }

// Shown asks for the statuses of this name only, of which GitLab returns the latest.
func (s statuses) Shown(ctx context.Context, want git.Status, etag string) (git.Shown, error) {
	var found []struct {
		Status      string `json:"status"`
		Description string `json:"description"`
		Name        string `json:"name"`
		SHA         string `json:"sha"`
	}
	call := git.Call{
		Method: http.MethodGet,
		Path:   s.path + "/repository/commits/" + want.Commit + "/statuses?name=" + url.QueryEscape(want.Context),
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
		if candidate.Name != want.Context || candidate.SHA != want.Commit {
			continue
		}
		shown.State, shown.Description = candidate.Status, candidate.Description
		if shown.State == want.State && shown.Description == want.Description {
			break
		}
	}
	return shown, nil
}

// Set creates a status. GitLab refuses one that is there already.
func (s statuses) Set(ctx context.Context, want git.Status) error {
	_, err := s.client.Do(ctx, git.Call{
		Method: http.MethodPost,
		Path:   s.path + "/statuses/" + want.Commit,
		In: struct {
			State       string `json:"state"`
			Name        string `json:"name"`
			Description string `json:"description"`
		}{want.State, want.Context, want.Description},
		Commit: want.Commit,
	})
	return err
}
