package gitea

import (
	"context"
	"fmt"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

const (
	// maxComment is how many characters a comment may have. Gitea has no limit of its own; this one is GitHub's.
	maxComment = 65_536
	// pageSize is the most comments that a page has unless the server says otherwise (MAX_RESPONSE_ITEMS).
	//
	// Source: https://docs.gitea.com/administration/config-cheat-sheet#api-api
	pageSize = 50
)

// NewPullRequestComment returns a Sender of type giteapullrequestcomment, which keeps a comment for each object on a
// pull request. The address is that of a repository. The error names what to change: the address, or a key of the
// Secret.
func NewPullRequestComment(cfg provider.Config) (provider.Sender, error) {
	r, err := newRepository(cfg)
	if err != nil {
		return nil, err
	}
	return &git.CommentSender{
		Host:         comments{r},
		MarkerPrefix: "flux-pr-comment-key",
		MaxBody:      maxComment,
		Noun:         "pull request comment",
		States:       cfg.States,
	}, nil
}

// comments implements [git.CommentHost]: to the API a pull request is an issue.
type comments struct{ *repository }

// Account is the user of the token.
func (c comments) Account(ctx context.Context) (string, error) {
	var user struct {
		Login string `json:"login"`
	}
	_, err := c.client.Do(ctx, git.Call{Method: http.MethodGet, Path: "/user", Out: &user})
	return user.Login, err
}

func (c comments) Comments(ctx context.Context, number string, page int) ([]git.Comment, *httpx.Answer, error) {
	var found []struct {
		ID   int64  `json:"id"`
		Body string `json:"body"`
		User struct {
			Login string `json:"login"`
		} `json:"user"`
	}
	answer, err := c.client.Do(ctx, git.Call{
		Method: http.MethodGet,
		Path:   fmt.Sprintf("%s/issues/%s/comments?limit=%d&page=%d", c.path, number, pageSize, page),
		Out:    &found,
	})
	if err != nil {
		return nil, answer, err
	}
	list := make([]git.Comment, len(found))
	for i, one := range found {
		list[i] = git.Comment{ID: one.ID, Author: one.User.Login, Body: one.Body}
	}
	return list, answer, nil
}

func (c comments) Create(ctx context.Context, number, body string) (int64, error) {
	answer, err := c.client.Do(ctx, git.Call{
		Method: http.MethodPost,
		Path:   fmt.Sprintf("%s/issues/%s/comments", c.path, number),
		In:     git.Body{Body: body},
	})
	return git.CreatedID(answer), err
}

func (c comments) Update(ctx context.Context, _ string, id int64, body string) error {
	_, err := c.client.Do(ctx, git.Call{
		Method: http.MethodPatch,
		Path:   fmt.Sprintf("%s/issues/comments/%d", c.path, id),
		In:     git.Body{Body: body},
	})
	return err
}
