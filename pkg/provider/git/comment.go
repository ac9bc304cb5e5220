package git

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// Comment is a comment on a change request.
type Comment struct {
	ID     int64
	Author string
	Body   string
}

// CommentHost is what of a host's API comments need. Number is that of the change request.
type CommentHost interface {
	// Account returns the name under which comments are written.
	Account(ctx context.Context) (string, error)
	// Comments returns a page of comments, oldest first, and the answer that says whether there is another. Pages count
	// from 1.
	Comments(ctx context.Context, number string, page int) ([]Comment, *httpx.Answer, error)
	// Create writes a comment and returns its ID, or 0 if the host does not say.
	Create(ctx context.Context, number, body string) (int64, error)
	// Update replaces the body of a comment.
	Update(ctx context.Context, number string, id int64, body string) error
}

// CommentSender is a [provider.Sender] that keeps one comment for each object on a change request. It tells its
// comment by a marker in the body and by its author.
type CommentSender struct {
	Host CommentHost
	// MarkerPrefix begins the marker.
	MarkerPrefix string
	// MaxBody is how many characters a comment may have.
	MaxBody int
	// Noun is what the host calls a comment on a change request, for errors.
	Noun string
	// States remembers the comments.
	States *provider.States

	account atomic.Pointer[string]
}

// maxPages bounds what is read of a change request: 100,000 comments or so.
const maxPages = 1000

// Send implements [provider.Sender].
func (s *CommentSender) Send(ctx context.Context, n *provider.Notification) error {
	number, err := n.ChangeRequest()
	if err != nil {
		return err
	}
	key := number + " " + n.ObjectKey()
	known := s.States.Get(key)
	at := n.Happened(time.Now())
	if known.Precedes(at) {
		return provider.Supersededf("the %s is that of a newer event already", s.Noun)
	}
	marker := s.marker(n)
	body := s.body(n, marker)
	id := known.ID
	if !s.States.Trusted(known) {
		// What another replica has written may be the same.
		id = 0
	} else if known.Value == digest(body) {
		return nil
	}
	// Should the attempt fail, nobody knows what is there.
	s.States.Put(key, provider.State{Timestamp: known.Timestamp})
	id, err = s.write(ctx, number, id, marker, body)
	if err != nil {
		return err
	}
	known = provider.State{Timestamp: known.Timestamp, Known: true, Value: digest(body), ID: id}
	if !at.IsZero() {
		known.Timestamp = at
	}
	s.States.Put(key, known)
	return nil
}

// write updates the comment that is known, or else the one that is found if it says something else, or else writes a new
// one.
func (s *CommentSender) write(ctx context.Context, number string, id int64, marker, body string) (int64, error) {
	if id != 0 {
		err := s.Host.Update(ctx, number, id, body)
		if err == nil {
			return id, nil
		}
		if provider.Classify(err).Kind != provider.Permanent {
			return 0, fmt.Errorf("failed to update %s: %w", s.Noun, err)
		}
		// Somebody has deleted it, or it is that of the account before. If not, the next call is refused too.
	}
	found, err := s.find(ctx, number, marker)
	if err != nil || found.ID != 0 && found.Body == body {
		return found.ID, err
	}
	if found.ID != 0 {
		if err := s.Host.Update(ctx, number, found.ID, body); err != nil {
			return 0, fmt.Errorf("failed to update %s: %w", s.Noun, err)
		}
		return found.ID, nil
	}
	if id, err = s.Host.Create(ctx, number, body); err != nil {
		return 0, fmt.Errorf("failed to create %s: %w", s.Noun, err)
	}
	return id, nil
}

// find returns the first own comment with the marker, one with ID 0 if there is none.
func (s *CommentSender) find(ctx context.Context, number, marker string) (Comment, error) {
	account, err := s.ownAccount(ctx)
	if err != nil {
		return Comment{}, fmt.Errorf("failed to get authenticated user info: %w", err)
	}
	var firstID int64
	for page := 1; page <= maxPages; page++ {
		comments, answer, err := s.Host.Comments(ctx, number, page)
		if err != nil {
			return Comment{}, fmt.Errorf("failed to list %ss: %w", s.Noun, err)
		}
		// A host that does not know of pages gives the same one for ever.
		if len(comments) == 0 || comments[0].ID == firstID {
			return Comment{}, nil
		}
		if page == 1 {
			firstID = comments[0].ID
		}
		for _, comment := range comments {
			if comment.Author == account && strings.Contains(comment.Body, marker) {
				return comment, nil
			}
		}
		if !hasNext(answer.Header, len(comments)) {
			return Comment{}, nil
		}
	}
	return Comment{}, provider.Permanentf(provider.ReasonRejected, "the change request has more than %d pages of comments", maxPages)
}

// ownAccount asks the host until it has said.
func (s *CommentSender) ownAccount(ctx context.Context) (string, error) {
	if name := s.account.Load(); name != nil {
		return *name, nil
	}
	name, err := s.Host.Account(ctx)
	if err != nil {
		return "", err
	}
	s.account.Store(&name)
	return name, nil
}

// hasNext says whether there is another page: by the header Link (RFC 8288), or by GitLab's X-Next-Page. A host that
// sends neither may give fewer comments than it is asked for, but hardly as few as that.
func hasNext(header http.Header, comments int) bool {
	const few = 10
	if links := header.Values("Link"); len(links) > 0 {
		return strings.Contains(strings.Join(links, ","), `rel="next"`)
	}
	if next, ok := header["X-Next-Page"]; ok {
		return len(next) > 0 && next[0] != ""
	}
	return comments >= few
}

// marker is hidden in the comment, so that the next notification for the object finds it.
func (s *CommentSender) marker(n *provider.Notification) string {
	return fmt.Sprintf("<!-- %s:%s/%s -->", s.MarkerPrefix, n.Provider.UID, n.ObjectKey())
}

func (s *CommentSender) body(n *provider.Notification, marker string) string {
	text := func(c chat.Content) string { return marker + "\n\n" + chat.Markdown(&n.Event, c) }
	return text(chat.Fit(&n.Event, s.MaxBody, func(c chat.Content) int { return chat.Characters(text(c)) }))
}
