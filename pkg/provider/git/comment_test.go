package git_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// comments is a host with the comments of one change request.
type comments struct {
	all []git.Comment
	// lose has the answer to the next update get lost.
	lose bool
}

func (c *comments) Account(context.Context) (string, error) { return "bot", nil }

func (c *comments) Comments(context.Context, string, int) ([]git.Comment, *httpx.Answer, error) {
	return c.all, &httpx.Answer{Header: http.Header{}}, nil
}

func (c *comments) Create(_ context.Context, _, body string) (int64, error) {
	c.all = append(c.all, git.Comment{ID: int64(len(c.all) + 1), Author: "bot", Body: body})
	return int64(len(c.all)), nil
}

func (c *comments) Update(_ context.Context, _ string, id int64, body string) error {
	c.all[id-1].Body = body
	if c.lose {
		c.lose = false
		return provider.Transientf(provider.ReasonTimeout, "no answer")
	}
	return nil
}

// TestCommentWhoseAnswerIsLost has an update carried out that looks as if it had not been: what was there before is not taken
// for what is there.
func TestCommentWhoseAnswerIsLost(t *testing.T) {
	const maxBody = 65_536
	host := &comments{}
	s := &git.CommentSender{Host: host, MarkerPrefix: "m", MaxBody: maxBody, Noun: "comment", States: provider.NewStates(10, true)}
	send := func(message string) error {
		n := providertest.Notification()
		n.Event.Metadata = map[string]string{event.KeyChangeRequest: "7"}
		n.Event.Timestamp.Time = time.Time{}
		n.Event.Message = message
		return s.Send(t.Context(), n)
	}
	if err := send("first"); err != nil {
		t.Fatal(err)
	}
	first := host.all[0].Body
	host.lose = true
	if err := send("second"); err == nil {
		t.Fatal("the lost answer was no error")
	}
	if err := send("first"); err != nil {
		t.Fatal(err)
	}
	if len(host.all) != 1 || host.all[0].Body != first {
		t.Errorf("got %+v", host.all)
	}
}
