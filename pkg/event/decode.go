package event

import (
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
)

// DecodeError says which part of an event's JSON cannot be used.
type DecodeError struct {
	// Field is the JSON path of the field, empty when the document as a whole is not JSON or not an object.
	Field string
	// Problem says what is wrong with it; it never quotes the document.
	Problem string
}

func (e *DecodeError) Error() string {
	if e.Field == "" {
		return "event: " + e.Problem
	}
	return fmt.Sprintf("event: field %q: %s", e.Field, e.Problem)
}

// Read makes of a body the event that Alerts are asked about: decoded, with the metadata that is kept, and without what
// serves only deduplication, which is in the fingerprint. The error is a *[DecodeError].
func Read(body []byte) (*Event, [sha256.Size]byte, error) {
	e, err := Decode(body)
	if err != nil {
		return nil, [sha256.Size]byte{}, err
	}
	e.Metadata = Clean(e)
	fingerprint := Fingerprint(e)
	e.DropInternal()
	return e, fingerprint, nil
}

const (
	// maxField is how many bytes a field that names something may have, and a key of the metadata: some four times the
	// longest name of an object. They are kept in memory, statuses and logs. The texts of an event, its message and the
	// values of its metadata, have no other bound than that of the body.
	maxField = 1024
	// maxEntries is how many entries the metadata may have. Kubernetes gives all annotations of an object 256 KiB together,
	// so that hardly any has as many. Each costs memory and time far beyond its bytes.
	maxEntries = 1000
)

// Decode reads an event as Go's encoding/json does: names match without regard to case, unknown fields are ignored,
// null stands for nothing. The field "ts", as in the design of 2020, is read where "timestamp" has no time; since
// nothing ever read it, a malformed one is ignored like any unknown field. The error is a *[DecodeError].
func Decode(body []byte) (*Event, error) {
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, decodeError(body, err)
	}
	if field, problem := e.overBound(); field != "" {
		return nil, &DecodeError{Field: field, Problem: problem}
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = decodeTS(body)
	}
	return &e, nil
}

// overBound returns the first field that is larger than it may be, and what is wrong with it; nothing if there is none.
func (e *Event) overBound() (field, problem string) {
	o := &e.InvolvedObject
	for _, f := range [...]struct{ name, text string }{
		{"involvedObject.kind", o.Kind},
		{"involvedObject.namespace", o.Namespace},
		{"involvedObject.name", o.Name},
		{"involvedObject.uid", o.UID},
		{"involvedObject.apiVersion", o.APIVersion},
		{"involvedObject.resourceVersion", o.ResourceVersion},
		{"involvedObject.fieldPath", o.FieldPath},
		{"severity", e.Severity},
		{"reason", e.Reason},
		{"reportingController", e.ReportingController},
		{"reportingInstance", e.ReportingInstance},
	} {
		if len(f.text) > maxField {
			return f.name, errLong.Error()
		}
	}
	if len(e.Metadata) > maxEntries {
		return "metadata", fmt.Sprintf("more than %d entries", maxEntries)
	}
	for key := range e.Metadata {
		if len(key) > maxField {
			return "metadata", fmt.Sprintf("a key longer than %d bytes", maxField)
		}
	}
	return "", ""
}

// errLong says of a field that it is longer than it may be.
var errLong = fmt.Errorf("longer than %d bytes", maxField)

func decodeTS(body []byte) Timestamp {
	var old struct {
		TS json.RawMessage `json:"ts"`
	}
	var t Timestamp
	if json.Unmarshal(body, &old) != nil || t.UnmarshalJSON(old.TS) != nil {
		return Timestamp{}
	}
	return t
}

// maxQuotedKey is how many characters an error quotes of a key of the metadata, which may have any number of them.
const maxQuotedKey = 100

func decodeError(body []byte, err error) *DecodeError {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errTimestamp):
		return &DecodeError{Field: "timestamp", Problem: errTimestamp.Error()}
	case errors.Is(err, errLong):
		return &DecodeError{Field: "timestamp", Problem: errLong.Error()}
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return &DecodeError{Problem: "the document is a JSON " + wrongType.Value + ", not an object"}
	case errors.As(err, &wrongType):
		wanted, field := "an object", wrongType.Field
		if wrongType.Type.Kind() == reflect.String {
			wanted = "a string"
			if key := metadataKey(body); field == "metadata" && key != "" {
				field += fmt.Sprintf(".%.*s", maxQuotedKey, key)
			}
		}
		return &DecodeError{Field: field, Problem: fmt.Sprintf("a JSON %s where %s belongs", wrongType.Value, wanted)}
	case errors.As(err, &syntax):
		return &DecodeError{Problem: fmt.Sprintf("not valid JSON at byte %d", syntax.Offset)}
	default:
		return &DecodeError{Problem: "not valid JSON"}
	}
}

// metadataKey returns the first key whose value is not a string, since encoding/json names only the map.
func metadataKey(body []byte) string {
	var document struct {
		Metadata map[string]any `json:"metadata"`
	}
	// The document is known to be well-formed.
	_ = json.Unmarshal(body, &document)
	for _, key := range SortedKeys(document.Metadata) {
		if _, ok := document.Metadata[key].(string); !ok && document.Metadata[key] != nil {
			return key
		}
	}
	return ""
}
