package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
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

// wireEvent is the document that senders post: the event, and the timestamp as the design of 2020 spelled it.
type wireEvent struct {
	Event
	Timestamp *wireTime       `json:"timestamp"`
	TS        json.RawMessage `json:"ts"`
}

type wireTime struct{ time.Time }

// errTimestamp marks the one failure that encoding/json cannot name the field of.
var errTimestamp = errors.New("not an RFC 3339 time")

func (t *wireTime) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		return errTimestamp
	}
	parsed, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return errTimestamp
	}
	t.Time = parsed
	return nil
}

// Decode reads an event as Go's encoding/json does: names match without regard to case, unknown fields are ignored,
// null stands for nothing. The field "ts", as in the design of 2020, is read where "timestamp" is missing; since
// nothing ever read it, a malformed one is ignored like any unknown field. The error is a *[DecodeError].
func Decode(body []byte) (*Event, error) {
	var wire wireEvent
	if err := json.Unmarshal(body, &wire); err != nil {
		return nil, decodeError(err)
	}
	e := wire.Event
	if wire.Timestamp != nil {
		e.Timestamp = Timestamp{wire.Timestamp.Time}
	} else if len(wire.TS) > 0 {
		var ts wireTime
		if ts.UnmarshalJSON(wire.TS) == nil {
			e.Timestamp = Timestamp{ts.Time}
		}
	}
	return &e, nil
}

func decodeError(err error) *DecodeError {
	var wrongType *json.UnmarshalTypeError
	var syntax *json.SyntaxError
	switch {
	case errors.Is(err, errTimestamp):
		return &DecodeError{Field: "timestamp", Problem: errTimestamp.Error()}
	case errors.As(err, &wrongType) && wrongType.Field == "":
		return &DecodeError{Problem: "the document is a JSON " + wrongType.Value + ", not an object"}
	case errors.As(err, &wrongType):
		return &DecodeError{Field: wrongType.Field, Problem: fmt.Sprintf("a JSON %s where a %s belongs", wrongType.Value, wrongType.Type.Kind())}
	case errors.As(err, &syntax):
		return &DecodeError{Problem: fmt.Sprintf("not valid JSON at byte %d", syntax.Offset)}
	default:
		return &DecodeError{Problem: "not valid JSON"}
	}
}
