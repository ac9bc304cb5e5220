// Package stream writes events for types that publish them as they are: as JSON, to machines.
package stream

import (
	"encoding/json"
	"sort"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Encode returns the JSON of an event in at most limit bytes. Over that, the message is cut, and where that is not
// enough, the values of metadata too, the longest first. The error is permanent: the event does not fit at all.
func Encode(e event.Event, limit int) ([]byte, error) {
	body, err := encode(e)
	if err != nil || len(body) <= limit {
		return body, err
	}
	message := e.Message
	e.Message = ""
	if body, err = encode(e); err != nil {
		return nil, err
	}
	if len(body) > limit {
		e.Metadata = cutMetadata(e, limit)
		if body, err = encode(e); err != nil {
			return nil, err
		}
	}
	if len(body) > limit {
		return nil, provider.Permanentf(provider.ReasonInvalid, "the event is longer than the %d bytes that the service takes, even with its message cut", limit)
	}
	if room := limit - len(body); len(text(message)) > room {
		message = beginning(message, room-len(provider.Ellipsis)) + provider.Ellipsis
	}
	// Where there is no room at all, not even for the mark.
	if len(message) <= limit-len(body) {
		e.Message = message
	}
	return encode(e)
}

// beginning returns as much of s as takes at most room bytes as JSON, cut between characters. Each part of s is encoded
// about once.
func beginning(s string, room int) string {
	taken := 0
	for rest := s; rest != ""; {
		half := len(rest) / 2
		for half > 0 && !utf8.RuneStart(rest[half]) {
			half--
		}
		if half == 0 {
			_, half = utf8.DecodeRuneInString(rest)
		}
		size := len(text(rest[:half]))
		switch {
		case size <= room:
			taken, room, rest = taken+half, room-size, rest[half:]
		case half == len(rest):
			rest = ""
		default:
			rest = rest[:half]
		}
	}
	return s[:taken]
}

// text is s as it stands in JSON, without quotation marks.
func text(s string) []byte {
	quoted, err := json.Marshal(s)
	if err != nil {
		return nil
	}
	return quoted[1 : len(quoted)-1]
}

// cutMetadata returns the metadata with which the event takes half of the limit, and leaves the rest to the message.
func cutMetadata(e event.Event, limit int) map[string]string {
	whole := e.Metadata
	return provider.CutValues(whole, greatest(limit, func(n int) bool {
		e.Metadata = provider.CutValues(whole, n)
		return fits(e, limit/2)
	}))
}

// greatest returns the greatest n up to limit that is ok. What is ok gets fewer with n; 0 is taken for ok.
func greatest(limit int, ok func(n int) bool) int {
	return sort.Search(limit, func(i int) bool { return !ok(i + 1) })
}

func fits(e event.Event, limit int) bool {
	body, err := encode(e)
	return err == nil && len(body) <= limit
}

func encode(e event.Event) ([]byte, error) {
	body, err := json.Marshal(e)
	if err != nil {
		return nil, provider.Permanentf(provider.ReasonInvalid, "encode event: %w", err)
	}
	return body, nil
}
