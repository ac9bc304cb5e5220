package gitea

import (
	"context"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

// New returns a Sender of type gitea, which sets the state of commits. The address is that of a repository. The error
// names what to change: the address, or a key of the Secret.
func New(cfg provider.Config) (provider.Sender, error) {
	r, err := newRepository(cfg)
	if err != nil {
		return nil, err
	}
	return &git.StatusSender{
		Host:   statuses{r},
		Words:  git.Words{Success: "success", Failure: "failure", Pending: "pending"},
		States: cfg.States,
	}, nil
}

// statuses implements [git.StatusHost].
type statuses struct{ *repository }

// Shown looks among the 50 newest statuses of the commit, the most that a page has: one that is older is set anew. Those
// of the same second come in no order, which is why the highest ID is the newest.
func (s statuses) Shown(ctx context.Context, want git.Status, _ string) (git.Shown, error) {
	var found []struct {
		ID int64 `json:"id"`
		// In what Gitea takes, this is called state.
		Status      string `json:"status"`
		Description string `json:"description"`
		Context     string `json:"context"`
	}
	_, err := s.client.Do(ctx, git.Call{
		Method: http.MethodGet,
		Path:   s.path + "/commits/" + want.Commit + "/statuses?limit=50&page=1",
		Out:    &found,
		Commit: want.Commit,
	})
	if err != nil {
		return git.Shown{}, err
	}
	newest, shown := int64(-1), git.Shown{}
	for _, candidate := range found {
		if candidate.Context == want.Context && candidate.ID > newest {
			newest, shown = candidate.ID, git.Shown{State: candidate.Status, Description: candidate.Description}
		}
	}
	return shown, nil
}

// Set creates a status; Gitea shows the newest of each context.
func (s statuses) Set(ctx context.Context, want git.Status) error {
	_, err := s.client.Do(ctx, git.Call{
		Method: http.MethodPost,
		Path:   s.path + "/statuses/" + want.Commit,
		In: struct {
			State       string `json:"state"`
			TargetURL   string `json:"target_url"`
			Description string `json:"description"`
			Context     string `json:"context"`
		}{want.State, "", want.Description, want.Context},
		Commit: want.Commit,
	})
	return err
}
