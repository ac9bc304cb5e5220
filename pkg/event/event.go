// Package event holds the GitOps event that controllers post: its form on the wire, the rules for its metadata and
// the fingerprint that tells a repetition. Everything here is pure.
package event

import (
	"encoding/json"
	"errors"
	"strings"
	"time"
)

const (
	// SeverityInfo is the usual severity of events that report no failure.
	SeverityInfo = "info"
	// SeverityError is the severity of events that report a failure. All other severities are informational.
	SeverityError = "error"
)

const (
	// CommonPrefix starts metadata keys that are not of one controller: annotations of the event's object.
	CommonPrefix = "event.toolkit.fluxcd.io/"

	// Keys of metadata, all prefixed in transit.
	KeyRevision       = "revision"
	KeyOriginRevision = "originRevision"
	KeyToken          = "token"
	KeyChecksum       = "checksum"
	KeyDigest         = "digest"
	KeyCommit         = "commit"
	KeyCommitStatus   = "commit_status"
	KeyChangeRequest  = "change_request"
	KeySummary        = "summary"
	KeyCluster        = "cluster"
	KeySuppressed     = "suppressed"

	// CommitStatusUpdate is the value of KeyCommitStatus that marks an event as a commit status update.
	CommitStatusUpdate = "update"
)

// ObjectReference is the object that an event is about. The order of the fields is that of the encoding.
type ObjectReference struct {
	Kind            string `json:"kind,omitempty"`
	Namespace       string `json:"namespace,omitempty"`
	Name            string `json:"name,omitempty"`
	UID             string `json:"uid,omitempty"`
	APIVersion      string `json:"apiVersion,omitempty"`
	ResourceVersion string `json:"resourceVersion,omitempty"`
	FieldPath       string `json:"fieldPath,omitempty"`
}

// String is KIND/NAMESPACE/NAME, as messages name objects.
func (r ObjectReference) String() string {
	return r.Kind + "/" + r.Namespace + "/" + r.Name
}

// Dotted is kind/NAME.NAMESPACE with the kind in lower case, as most chat messages name objects.
func (r ObjectReference) Dotted() string {
	return strings.ToLower(r.Kind) + "/" + r.Name + "." + r.Namespace
}

// Group is the API group of the object; empty for the core group and for a missing or malformed apiVersion.
func (r ObjectReference) Group() string {
	group, version, found := strings.Cut(r.APIVersion, "/")
	if !found || strings.Contains(version, "/") {
		return ""
	}
	return group
}

// Event is what a GitOps controller reports about an object. The order of the fields is that of the encoding.
type Event struct {
	InvolvedObject      ObjectReference   `json:"involvedObject"`
	Severity            string            `json:"severity"`
	Timestamp           Timestamp         `json:"timestamp"`
	Message             string            `json:"message"`
	Reason              string            `json:"reason"`
	Metadata            map[string]string `json:"metadata,omitempty"`
	ReportingController string            `json:"reportingController"`
	ReportingInstance   string            `json:"reportingInstance,omitempty"`

	// ID tells this event from all others from the moment it is accepted. It does not travel.
	ID string `json:"-"`
}

// IsError says whether the event reports a failure.
func (e *Event) IsError() bool { return e.Severity == SeverityError }

// Size is about the number of bytes that the event keeps in memory while it waits to be sent, and rather more than less.
func (e *Event) Size() int {
	const (
		// fixed is for the structs around the texts, and a map of a few entries.
		fixed = 1024
		// entry is what one of a large map takes besides its texts: a key or value of one byte has a string of its own,
		// in a table that may be half empty.
		entry = 128
	)
	size := fixed + entry*len(e.Metadata)
	o := e.InvolvedObject
	for _, s := range []string{
		o.Kind, o.Namespace, o.Name, o.UID, o.APIVersion, o.ResourceVersion, o.FieldPath,
		e.Severity, e.Message, e.Reason, e.ReportingController, e.ReportingInstance,
	} {
		size += allocated(len(s))
	}
	for k, v := range e.Metadata {
		size += allocated(len(k)) + allocated(len(v))
	}
	return size
}

// allocated is what the runtime takes for a text: it hands out memory in classes of sizes, and large pieces by the page.
func allocated(length int) int {
	const page, large = 8 << 10, 32 << 10
	if length > large {
		return (length + page - 1) / page * page
	}
	return length + length/8
}

// groupKey is the metadata key that the controller of the event's object uses for name.
func (e *Event) groupKey(name string) string { return e.InvolvedObject.Group() + "/" + name }

// IsCommitStatusUpdate says whether the event is only meant to update a commit status. It looks at metadata as it
// travels, before [Merge].
func (e *Event) IsCommitStatusUpdate() bool {
	return e.Metadata[e.groupKey(KeyCommitStatus)] == CommitStatusUpdate
}

// HasCommit says whether the event names a commit. It looks at metadata as it travels, before [Merge].
func (e *Event) HasCommit() bool { return e.Metadata[CommonPrefix+KeyCommit] != "" }

// HasChangeRequest says whether the event names a change request. It looks at metadata as it travels, before [Merge].
func (e *Event) HasChangeRequest() bool { return e.Metadata[CommonPrefix+KeyChangeRequest] != "" }

// Timestamp is a point in time that is encoded as RFC 3339 in UTC with whole seconds, or as null when it is zero.
type Timestamp struct{ time.Time }

// MarshalJSON implements [encoding/json.Marshaler].
func (t Timestamp) MarshalJSON() ([]byte, error) {
	if t.IsZero() {
		return []byte("null"), nil
	}
	return t.UTC().AppendFormat(nil, `"`+time.RFC3339+`"`), nil
}

// errTimestamp marks, as errLong does for a timestamp, the one failure that encoding/json cannot name the field of.
var errTimestamp = errors.New("not an RFC 3339 time")

// UnmarshalJSON implements [encoding/json.Unmarshaler]. It takes any RFC 3339 time of at most maxField bytes,
// and null as the zero time.
func (t *Timestamp) UnmarshalJSON(data []byte) error {
	var text *string
	if err := json.Unmarshal(data, &text); err != nil {
		return errTimestamp
	}
	if text == nil {
		*t = Timestamp{}
		return nil
	}
	if len(*text) > maxField {
		return errLong
	}
	parsed, err := time.Parse(time.RFC3339, *text)
	if err != nil {
		return errTimestamp
	}
	t.Time = parsed
	return nil
}
