package provider

import (
	"strconv"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// sha1Length is the number of hexadecimal digits of a commit. Longer ones are digests of other things than commits,
// such as OCI artifacts.
const sha1Length = 40

// Commit returns the commit that a notification is about, as 40 hexadecimal digits. It is the first that there is of
// the metadata commit, originRevision and revision. The error is permanent and names the one that was read.
func (n *Notification) Commit() (string, error) {
	for _, key := range []string{event.KeyCommit, event.KeyOriginRevision, event.KeyRevision} {
		revision, ok := n.Event.Metadata[key]
		if !ok {
			continue
		}
		commit := hash(revision)
		if !isSHA1(commit) {
			return "", Permanentf(ReasonInvalid,
				"failed to extract commit hash from '%s' revision: the event's metadata %q has to end in the 40 digits of a commit, as main@sha1:… does",
				CutRunes(revision, maxQuoted), key)
		}
		return commit, nil
	}
	return "", Permanentf(ReasonInvalid,
		"missing revision metadata: the event for %s names no commit; select objects that come from Git in spec.eventSources of the Alert", n.Event.InvolvedObject)
}

// maxQuoted is how much of metadata an error quotes.
const maxQuoted = 200

// hash takes the commit out of a revision: NAME@sha1:HASH, sha1:HASH, NAME/HASH as it was once, or HASH alone.
func hash(revision string) string {
	if i := strings.LastIndexByte(revision, ':'); i >= 0 {
		return revision[i+1:]
	}
	return revision[strings.LastIndexByte(revision, '/')+1:]
}

func isSHA1(s string) bool {
	return len(s) == sha1Length && strings.Trim(s, "0123456789abcdefABCDEF") == ""
}

// StatusKey is the OrderingKey of types that set the state of a commit: the commit and the context. It is empty if the
// notification names no commit: then nothing is set.
func (n *Notification) StatusKey() string {
	commit, err := n.Commit()
	if err != nil {
		return ""
	}
	return commit + " " + n.StatusID
}

// ChangeRequest returns the number of the change request that a notification is about. The error is permanent.
func (n *Notification) ChangeRequest() (string, error) {
	value, ok := n.Event.Metadata[event.KeyChangeRequest]
	if !ok {
		return "", Permanentf(ReasonInvalid, "missing %q metadata key", event.KeyChangeRequest)
	}
	number, err := strconv.ParseInt(value, 10, 64)
	if err != nil || number <= 0 {
		return "", Permanentf(ReasonInvalid, "invalid %q metadata value %q: it has to be the number of a change request",
			event.KeyChangeRequest, CutRunes(value, maxQuoted))
	}
	return strconv.FormatInt(number, 10), nil
}

// CommentKey is the OrderingKey of types that comment on change requests: the object and the change request.
func (n *Notification) CommentKey() string {
	return n.ObjectKey() + " " + n.Event.Metadata[event.KeyChangeRequest]
}
