package git

import (
	"context"
	"fmt"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Status is what a host is to show of a commit for one context.
type Status struct {
	// Commit has 40 hexadecimal digits.
	Commit string
	// Context tells the statuses of a commit apart: the notification's StatusID, or one made of it that fits.
	Context string
	// Genre is the second part of the context, for hosts that have one.
	Genre string
	// Name is that of the object: kind/name.
	Name string
	// State is the host's word for the outcome, Description says it for people.
	State, Description string
}

// Shown is what a host shows of a commit for one context.
type Shown struct {
	// Same says that it is still what the answer with the given ETag said, and the rest is empty.
	Same bool
	// State and Description are empty if the host shows nothing.
	State, Description string
	// ETag is that of the answer, if the host takes it for a condition.
	ETag string
}

// StatusHost is what of a host's API the state of a commit needs.
type StatusHost interface {
	// Shown returns what the host shows for the status' commit and context. An etag that is not empty is that of an
	// earlier answer.
	Shown(ctx context.Context, s Status, etag string) (Shown, error)
	// Set has the host show the status.
	Set(ctx context.Context, s Status) error
}

// Words are a host's words for the state of a commit.
type Words struct {
	Success, Failure string
	// Pending is that of work in progress; empty if the type does not say.
	Pending string
}

// StatusSender is a [provider.Sender] that sets the state of a commit, if it is not the one that the host shows.
type StatusSender struct {
	Host  StatusHost
	Words Words
	// MaxDescription is how many characters a description may have; 0 means any number.
	MaxDescription int
	// MaxContext is how many characters a context may have; 0 means any number.
	MaxContext int
	// States remembers what was set.
	States *provider.States
	// Genre returns the second part of the context. Nil means none.
	Genre func(*provider.Notification) string
}

// Send implements [provider.Sender].
func (s *StatusSender) Send(ctx context.Context, n *provider.Notification) error {
	status, err := s.status(n)
	if err != nil {
		return err
	}
	key := status.Commit + " " + status.Context + " " + status.Genre
	known := s.States.Get(key)
	at := n.Happened(time.Now())
	if known.Precedes(at) {
		return provider.Supersededf("the status of commit %s is that of a newer event already", status.Commit)
	}
	want := digest(status.State + " " + status.Description)
	if !s.States.Trusted(known) {
		if known, err = s.look(ctx, status, known); err != nil {
			return fmt.Errorf("could not list commit statuses: %w", err)
		}
	}
	if known.Value != want {
		// Should the attempt fail, nobody knows what is there.
		s.States.Put(key, provider.State{Timestamp: known.Timestamp})
		if err := s.Host.Set(ctx, status); err != nil {
			return fmt.Errorf("could not create commit status: %w", err)
		}
		known.Value, known.ETag = want, ""
	}
	known.Known = true
	if !at.IsZero() {
		known.Timestamp = at
	}
	s.States.Put(key, known)
	return nil
}

// look returns what is known once the host has been asked.
func (s *StatusSender) look(ctx context.Context, status Status, known provider.State) (provider.State, error) {
	etag := ""
	if known.Known {
		etag = known.ETag
	}
	shown, err := s.Host.Shown(ctx, status, etag)
	if err != nil || shown.Same {
		return known, err
	}
	known.Value, known.ETag = digest(shown.State+" "+shown.Description), shown.ETag
	return known, nil
}

func (s *StatusSender) status(n *provider.Notification) (Status, error) {
	if n.StatusID == "" {
		return Status{}, provider.Permanentf(provider.ReasonInvalid, "commit status cannot be empty")
	}
	commit, err := n.Commit()
	if err != nil {
		return Status{}, err
	}
	state, err := s.state(n)
	if err != nil {
		return Status{}, err
	}
	status := Status{
		Commit:      commit,
		Context:     fitContext(n.StatusID, s.MaxContext),
		Name:        provider.ShortName(n.Event.InvolvedObject),
		State:       state,
		Description: provider.Describe(n.Event.Reason),
	}
	if s.MaxDescription > 0 {
		status.Description = provider.CutRunes(status.Description, s.MaxDescription)
	}
	if s.Genre != nil {
		status.Genre = s.Genre(n)
	}
	return status, nil
}

func (s *StatusSender) state(n *provider.Notification) (string, error) {
	switch {
	case n.IsProgressing() && s.Words.Pending != "":
		return s.Words.Pending, nil
	case n.Event.Severity == event.SeverityInfo:
		return s.Words.Success, nil
	case n.Event.IsError():
		return s.Words.Failure, nil
	default:
		return "", provider.Permanentf(provider.ReasonInvalid,
			"can't convert the event's severity %q to the state of a commit: it has to be info or error", n.Event.Severity)
	}
}
