package provider

import (
	"crypto/sha256"
	"time"

	"k8s.io/utils/lru"
)

// maxETag is how many bytes of an ETag are remembered: it is for the host to choose, which may be anybody's. Those of
// GitHub and GitLab have less than 100. Without one, the host is asked without a condition.
const maxETag = 1024

// State is what is known of a thing on the far side that notifications change: a commit status, a comment.
type State struct {
	// Timestamp is that of the newest event that was to change it; zero if no event said.
	Timestamp time.Time
	// Known says that Value is what the far side shows, as far as this process knows.
	Known bool
	// Value is what the far side shows, or a digest of it where that can be long.
	Value string
	// ID is what the far side calls it, where that is needed to change it; else 0.
	ID int64
	// ETag is that of the answer in which Value was last read; empty if it has been written since.
	ETag string
}

// Precedes says whether an event with the given timestamp is older than one that has already changed the state. Where
// either does not say, the order of acceptance holds, which is that of the calls.
func (s State) Precedes(event time.Time) bool {
	return !s.Timestamp.IsZero() && !event.IsZero() && event.Before(s.Timestamp)
}

// Happened is when the notification's event happened, for [State.Timestamp]; zero if it does not say. What is ahead of
// now counts as now: one event of a clock that goes wrong is not to hold back those that come after it.
func (n *Notification) Happened(now time.Time) time.Time {
	if at := n.Event.Timestamp.Time; !at.After(now) {
		return at
	}
	return now
}

// States remembers states, so that a repeated one costs no request and an older event does not replace what a newer
// one set. It outlives the senders, which are made anew with each edit. It is safe for concurrent use, but a state
// belongs to one delivery at a time: see [Type.OrderingKey]. A nil *States remembers nothing.
type States struct {
	sole    bool
	entries *lru.Cache
	// scope tells the things of one service from those of others.
	scope [sha256.Size]byte
}

// NewStates returns an empty memory for at most limit states, some 500 bytes each, however long the names of the things and
// the addresses of the services are; beyond that it forgets those that have not been asked for longest. Sole says that no
// other process writes to the same things: then what was written is what is there, and needs no look before the next write.
func NewStates(limit int, sole bool) *States {
	return &States{sole: sole, entries: lru.New(limit)}
}

// For returns the part of the memory that is about what one Provider's service shows. The address belongs to it: a
// Provider that is edited to lead elsewhere finds the same commit there, but not the same status.
func (s *States) For(p Object, address string) *States {
	if s == nil {
		return nil
	}
	return &States{sole: s.sole, entries: s.entries, scope: sha256.Sum256([]byte(p.UID + " " + address))}
}

// Shared returns the same memory for things that others write to as well.
func (s *States) Shared() *States {
	if s == nil {
		return nil
	}
	return &States{entries: s.entries, scope: s.scope}
}

// Get returns what is known of a thing.
func (s *States) Get(thing string) State {
	if s == nil {
		return State{}
	}
	found, _ := s.entries.Get(s.key(thing))
	state, _ := found.(State)
	return state
}

// Put remembers what is known of a thing.
func (s *States) Put(thing string, state State) {
	if s == nil {
		return
	}
	if len(state.ETag) > maxETag {
		state.ETag = ""
	}
	s.entries.Add(s.key(thing), state)
}

// Trusted says whether a known state can be relied on without a look.
func (s *States) Trusted(state State) bool { return s != nil && s.sole && state.Known }

// stateKey stands for a thing of a service. Its name and the address are texts of any length, of events and of objects.
type stateKey [sha256.Size]byte

func (s *States) key(thing string) stateKey {
	return sha256.Sum256(append(s.scope[:], thing...))
}
