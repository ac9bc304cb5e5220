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

// Decode reads an event as Go's encoding/json does: names match without regard to case, unknown fields are ignored,
// null stands for nothing. The field "ts", as in the design of 2020, is read where "timestamp" has no time; since
// nothing ever read it, a malformed one is ignored like any unknown field. The error is a *[DecodeError].
func Decode(body []byte) (*Event, error) {
	var e Event
	if err := json.Unmarshal(body, &e); err != nil {
		return nil, decodeError(body, err)
	}
	if e.Timestamp.IsZero() {
		e.Timestamp = decodeTS(body)
	}
	return &e, nil
}

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
