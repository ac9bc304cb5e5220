package chat

import (
	"encoding/json"
	"fmt"
	"sort"
	"unicode/utf16"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Limits are those of a service. A limit of 0 is none.
type Limits struct {
	// Message is the most characters of a message, Key and Value those of an entry of metadata.
	Message, Key, Value int
	// Entries is the most entries of metadata.
	Entries int
	// Total is the most that Size may say. In it every character counts at least 1.
	Total int
	Size  func(Content) int
}

// Fit returns the content of an event that has at most the given size.
func Fit(e *event.Event, limit int, size func(Content) int) Content {
	return Limits{Total: limit, Size: size}.Fit(NewContent(e))
}

// shortValue is the length down to which values are cut before whole entries are left out.
const shortValue = 32

// Fit returns the content with everything cut that is over a limit, and marked with an ellipsis. Over the total, the
// message keeps half of the room at least, or all it needs: metadata is cut where it takes more than the message
// leaves, the longest values first.
func (l Limits) Fit(c Content) Content {
	c = l.fitParts(c)
	if l.fits(c, l.Total) {
		return c
	}
	half := l.cutMessage(Content{Message: c.Message}, (l.Total+l.Size(Content{}))/2)
	c.Metadata = l.cutMetadata(Content{half.Message, c.Metadata})
	return l.cutMessage(c, l.Total)
}

func (l Limits) fits(c Content, total int) bool { return l.Total == 0 || l.Size(c) <= total }

// fitParts cuts what is too long by itself, also if there is a limit for the total only: then it is quick to measure.
func (l Limits) fitParts(c Content) Content {
	c.Message = cut(c.Message, l.Message, l.Total)
	entries := make([]Entry, 0, len(c.Metadata))
	for _, entry := range c.Metadata {
		entries = append(entries, Entry{cut(entry.Key, l.Key, l.Total), cut(entry.Value, l.Value, l.Total)})
	}
	c.Metadata = entries
	if l.Entries > 0 {
		c.Metadata = firstEntries(c.Metadata, l.Entries)
	}
	return c
}

// cutMessage cuts the message until the content has the given size.
func (l Limits) cutMessage(c Content, total int) Content {
	if l.fits(c, total) {
		return c
	}
	shortened := func(n int) Content { return Content{provider.CutRunes(c.Message, n), c.Metadata} }
	return shortened(greatest(len(c.Message), func(n int) bool { return l.fits(shortened(n), total) }))
}

// cutMetadata cuts the metadata until the content has the right size.
func (l Limits) cutMetadata(c Content) []Entry {
	if l.fits(c, l.Total) {
		return c.Metadata
	}
	shortened := func(n int) Content {
		entries := make([]Entry, 0, len(c.Metadata))
		for _, entry := range c.Metadata {
			entries = append(entries, Entry{entry.Key, provider.CutRunes(entry.Value, n)})
		}
		return Content{c.Message, entries}
	}
	if n := greatest(l.Total, func(n int) bool { return l.fits(shortened(n), l.Total) }); n >= shortValue {
		return shortened(n).Metadata
	}
	short := shortened(shortValue)
	fewer := func(n int) Content { return Content{c.Message, firstEntries(short.Metadata, n)} }
	return fewer(greatest(len(c.Metadata), func(n int) bool { return l.fits(fewer(n), l.Total) })).Metadata
}

// firstEntries returns the entries if there are at most limit of them. Otherwise the last one says how many were
// left out.
func firstEntries(entries []Entry, limit int) []Entry {
	if len(entries) <= limit {
		return entries
	}
	if limit == 0 {
		return nil
	}
	kept := limit - 1
	return append(entries[:kept:kept], Entry{provider.Ellipsis, fmt.Sprintf("%d more", len(entries)-kept)})
}

// cut returns s with as many characters as the least of some limits, of which 0 is none.
func cut(s string, limits ...int) string {
	for _, limit := range limits {
		if limit > 0 {
			s = provider.CutRunes(s, limit)
		}
	}
	return s
}

// greatest returns the greatest n up to limit that is ok. What is ok gets fewer with n; 0 is taken for ok.
func greatest(limit int, ok func(n int) bool) int {
	return sort.Search(limit, func(i int) bool { return !ok(i + 1) })
}

// Characters counts the characters of s in UTF-16 code units: one, or two for an emoji. Some services count so and
// some count code points; this is never too few.
func Characters(s string) int {
	count := 0
	for _, r := range s {
		count += utf16.RuneLen(r)
	}
	return count
}

// JSON returns a message as it is sent, to measure it.
func JSON(message any) string {
	// Messages are made of strings, which can be encoded always.
	encoded, _ := json.Marshal(message)
	return string(encoded)
}
