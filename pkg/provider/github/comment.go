package github

import (
	"context"
	"fmt"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

const (
	// maxComment is how many characters a comment may have, by the API's answer to longer ones: "body is too long
	// (maximum is 65536 characters)".
	//
	// Source: https://docs.github.com/en/rest/issues/comments#create-an-issue-comment
	maxComment = 65_536
	// pageSize is the most comments that a page can have.
	pageSize = 100
)

// NewPullRequestComment returns a Sender of type githubpullrequestcomment, which keeps a comment for each object on a
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

// comment is a comment as GitHub shows it.
type comment struct {
	ID   int64  `json:"id"`
	Body string `json:"body"`
	User struct {
		Login string `json:"login"`
	} `json:"user"`
}

// Account is the user of the token, or the bot of the App.
func (c comments) Account(ctx context.Context) (string, error) {
	if c.app != nil {
		return c.app.bot(ctx)
	}
	var user struct {
		Login string `json:"login"`
	}
	answer, err := c.client.Do(ctx, git.Call{Method: http.MethodGet, Path: "/user", Out: &user})
	if answer != nil && answer.StatusCode == http.StatusForbidden && provider.Classify(err).Kind == provider.Permanent {
		return "", fmt.Errorf("%w: the token is not that of a user; put the keys of the GitHub App into the Secret instead", err)
	}
	return user.Login, err
}

func (c comments) Comments(ctx context.Context, number string, page int) ([]git.Comment, *httpx.Answer, error) {
	var found []comment
	answer, err := c.client.Do(ctx, git.Call{
		Method: http.MethodGet,
		Path:   fmt.Sprintf("%s/issues/%s/comments?direction=asc&page=%d&per_page=%d&sort=created", c.path, number, page, pageSize),
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
