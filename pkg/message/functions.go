package message

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"text/template"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// maxWork is how many bytes the functions may read and make in one execution: some more than the longest event has.
const maxWork = 4 << 20

var errWork = errors.New("the functions are given too much to do by this event")

// budget is what the functions of one execution may still do.
type budget struct{ left int }

// spend is called by each function before it does its work, with the bytes that it will read and make.
func (b *budget) spend(bytes int) error {
	const call = 16
	if b.left -= call + bytes; b.left < 0 {
		return errWork
	}
	return nil
}

// functions are all functions that there are, but for and, or and not. Those that text/template has too take its place:
// they have no budget there.
func (b *budget) functions() template.FuncMap {
	return template.FuncMap{
		"upper": b.text(strings.ToUpper),
		"lower": b.text(strings.ToLower),
		"trim":  b.text(strings.TrimSpace),
		"firstLine": b.text(func(s string) string {
			line, _, _ := strings.Cut(s, "\n")
			return line
		}),
		"shortRevision": b.text(shortRevision),
		"trunc":         b.trunc,
		"trimPrefix":    func(prefix, s string) (string, error) { return strings.TrimPrefix(s, prefix), b.spend(len(prefix)) },
		"trimSuffix":    func(suffix, s string) (string, error) { return strings.TrimSuffix(s, suffix), b.spend(len(suffix)) },
		"hasPrefix":     func(prefix, s string) (bool, error) { return strings.HasPrefix(s, prefix), b.spend(len(prefix)) },
		"hasSuffix":     func(suffix, s string) (bool, error) { return strings.HasSuffix(s, suffix), b.spend(len(suffix)) },
		"contains":      b.contains,
		"replace":       b.replace,
		"join":          b.join,
		"default":       b.byDefault,
		"date":          b.date,
		"index":         func(m map[string]string, key string) (string, error) { return m[key], b.spend(len(key)) },
		"eq":            b.equal,
		"ne": func(first string, second string) (bool, error) {
			equal, err := b.equal(first, second)
			return !equal, err
		},
	}
}

// functionNames are the names of all functions.
func functionNames() []string {
	names := event.SortedKeys(new(budget).functions())
	// They only pass their arguments on.
	names = append(names, "and", "not", "or")
	slices.Sort(names)
	return names
}

// text is a function of a text whose result is about as long.
func (b *budget) text(f func(string) string) func(string) (string, error) {
	return func(s string) (string, error) {
		if err := b.spend(2 * len(s)); err != nil {
			return "", err
		}
		return f(s), nil
	}
}

// trunc is the first characters of a text.
func (b *budget) trunc(length int, s string) (string, error) {
	if length < 0 {
		return "", fmt.Errorf("trunc %d: the number of characters is negative", length)
	}
	// Any more characters take at least as many bytes.
	length = min(length, len(s))
	if err := b.spend(length); err != nil {
		return "", err
	}
	for i := range s {
		if length == 0 {
			return s[:i], nil
		}
		length--
	}
	return s, nil
}

func (b *budget) contains(part, s string) (bool, error) {
	if err := b.spend(len(part) + len(s)); err != nil {
		return false, err
	}
	return strings.Contains(s, part), nil
}

func (b *budget) replace(before, after, s string) (string, error) {
	if err := b.spend(len(before) + len(s)); err != nil {
		return "", err
	}
	if err := b.spend(len(s) + strings.Count(s, before)*len(after)); err != nil {
		return "", err
	}
	return strings.ReplaceAll(s, before, after), nil
}

// join joins the texts that are not empty.
func (b *budget) join(separator string, texts ...string) (string, error) {
	texts = slices.DeleteFunc(texts, func(s string) bool { return s == "" })
	size := len(texts) * len(separator)
	for _, s := range texts {
		size += len(s)
	}
	if err := b.spend(size); err != nil {
		return "", err
	}
	return strings.Join(texts, separator), nil
}

func (b *budget) byDefault(otherwise, s string) (string, error) {
	if s == "" {
		s = otherwise
	}
	return s, b.spend(0)
}

// equal says whether the first text is one of the others.
func (b *budget) equal(first string, others ...string) (bool, error) {
	if err := b.spend(len(first) * len(others)); err != nil {
		return false, err
	}
	return slices.Contains(others, first), nil
}

// date writes an RFC 3339 time in Go's layout, in UTC: other time zones would have to be read from files. No time stays
// no time.
func (b *budget) date(layout, timestamp string) (string, error) {
	// What stands for a part of the time is at most a few bytes shorter than that.
	if err := b.spend(4*len(layout) + len(timestamp)); err != nil || timestamp == "" {
		return "", err
	}
	t, err := time.Parse(time.RFC3339, timestamp)
	if err != nil {
		return "", errors.New("date: this is not an RFC 3339 time, as .Timestamp is")
	}
	return t.UTC().Format(layout), nil
}

const (
	// shortDigest is how much of a digest tells commits apart.
	shortDigest = 7
	// leastDigest is how long digests are at least: SHA-1.
	leastDigest = 40
)

// shortRevision shortens the digest of a revision: main@sha1:1f0c5c0e… is main@1f0c5c0, sha256:1f0c5c0e… 1f0c5c0. What
// has no digest stays as it is.
func shortRevision(revision string) string {
	rest, digest, _ := cutLast(revision, ":")
	if len(digest) < leastDigest || strings.Trim(digest, "0123456789abcdef") != "" {
		return revision
	}
	digest = digest[:shortDigest]
	if name, _, ok := cutLast(rest, "@"); ok {
		return name + "@" + digest
	}
	return digest
}

// cutLast is [strings.Cut] around the last separator.
func cutLast(s, separator string) (before, after string, found bool) {
	if i := strings.LastIndex(s, separator); i >= 0 {
		return s[:i], s[i+len(separator):], true
	}
	return s, "", false
}
