package gitlab

import (
	"context"
	"fmt"
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

const (
	// maxNote is how many characters a note may have.
	//
	// Source: https://docs.gitlab.com/administration/instance_limits/#size-of-comments-and-descriptions-of-issues-merge-requests-and-epics
	maxNote = 1_000_000
	// pageSize is the most notes that a page can have.
	pageSize = 100
)

// NewMergeRequestComment returns a Sender of type gitlabmergerequestcomment, which keeps a note for each object on a
// merge request. The address is that of a project. The error names what to change: the address, or a key of the Secret.
func NewMergeRequestComment(cfg provider.Config) (provider.Sender, error) {
	p, err := newProject(cfg)
	if err != nil {
		return nil, err
	}
	return &git.CommentSender{
		Host:         notes{p},
		MarkerPrefix: "flux-mr-comment-key",
		MaxBody:      maxNote,
		Noun:         "merge request note",
		States:       cfg.States,
	}, nil
}

// notes implements [git.CommentHost].
type notes struct{ *project }

// Account is the user of the token; that of a project is a bot of its own.
func (n notes) Account(ctx context.Context) (string, error) {
	var user struct {
		Username string `json:"username"`
	}
	_, err := n.client.Do(ctx, git.Call{Method: http.MethodGet, Path: "/user", Out: &user})
	return user.Username, err
}

func (n notes) Comments(ctx context.Context, number string, page int) ([]git.Comment, *httpx.Answer, error) {
	var found []struct {
		ID     int64  `json:"id"`
		Body   string `json:"body"`
		Author struct {
			Username string `json:"username"`
		} `json:"author"`
	}
	answer, err := n.client.Do(ctx, git.Call{
		Method: http.MethodGet,
		Path:   fmt.Sprintf("%s?order_by=created_at&page=%d&per_page=%d&sort=asc", n.notes(number), page, pageSize),
		Out:    &found,
	})
	if err != nil {
		return nil, answer, err
	}
	list := make([]git.Comment, len(found))
	for i, one := range found {
		list[i] = git.Comment{ID: one.ID, Author: one.Author.Username, Body: one.Body}
	}
	return list, answer, nil
}

func (n notes) Create(ctx context.Context, number, body string) (int64, error) {
	answer, err := n.client.Do(ctx, git.Call{Method: http.MethodPost, Path: n.notes(number), In: git.Body{Body: body}})
	return git.CreatedID(answer), err
}

func (n notes) Update(ctx context.Context, number string, id int64, body string) error {
	_, err := n.client.Do(ctx, git.Call{
		Method: http.MethodPut,
		Path:   fmt.Sprintf("%s/%d", n.notes(number), id),
		In:     git.Body{Body: body},
	})
	return err
}

func (n notes) notes(number string) string { return n.path + "/merge_requests/" + number + "/notes" }
