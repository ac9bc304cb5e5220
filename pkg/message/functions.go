package message

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
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

// kind is what an argument can be.
type kind string

const (
	isText    kind = "string"
	isNumber  kind = "int"
	isEntries kind = "map[string]string"
	isAny     kind = "value"
)

// function is a function of templates.
type function struct {
	parameters []kind
	// more says that any number of arguments like the last may follow.
	more bool
	// call gets as many arguments as it takes, of these kinds.
	call func(b *budget, arguments []value) (value, error)
}

// functions are all functions that there are.
func functions() map[string]function {
	return map[string]function{
		// These only look at a value, and cost nothing. The former two are [execution.firstThat].
		"and": {parameters: []kind{isAny}, more: true},
		"or":  {parameters: []kind{isAny}, more: true},
		"not": {parameters: []kind{isAny}, call: func(_ *budget, v []value) (value, error) { return !truth(v[0]), nil }},

		"upper":         ofText(strings.ToUpper),
		"lower":         ofText(strings.ToLower),
		"trim":          ofText(strings.TrimSpace),
		"firstLine":     ofText(firstLine),
		"shortRevision": ofText(shortRevision),
		"trunc": {parameters: []kind{isNumber, isText}, call: func(b *budget, v []value) (value, error) {
			return b.trunc(v[0].(int), v[1].(string))
		}},
		"trimPrefix": ofAffix(strings.TrimPrefix),
		"trimSuffix": ofAffix(strings.TrimSuffix),
		"hasPrefix":  ofAffix(strings.HasPrefix),
		"hasSuffix":  ofAffix(strings.HasSuffix),
		"contains":   ofTwo((*budget).contains),
		"replace": {parameters: []kind{isText, isText, isText}, call: func(b *budget, v []value) (value, error) {
			return b.replace(v[0].(string), v[1].(string), v[2].(string))
		}},
		"join":    ofMany((*budget).join),
		"default": ofTwo((*budget).byDefault),
		"date":    ofTwo((*budget).date),
		"index": {parameters: []kind{isEntries, isText}, call: func(b *budget, v []value) (value, error) {
			entries, _ := v[0].(map[string]string)
			key := v[1].(string)
			return entries[key], b.spend(len(key))
		}},
		"eq": ofMany((*budget).equal),
		"ne": ofTwo(func(b *budget, first, second string) (bool, error) {
			equal, err := b.equal(first, second)
			return !equal, err
		}),
	}
}

// accepts says whether an argument, counted from 0, can be this one.
func (f *function) accepts(i int, v value) error {
	want := f.parameters[min(i, len(f.parameters)-1)]
	ok := want == isAny
	switch v.(type) {
	case string:
		ok = ok || want == isText
	case int:
		ok = ok || want == isNumber
	case map[string]string, nil:
		ok = ok || want == isEntries
	}
	if !ok {
		return fmt.Errorf("wrong type for value; expected %s; got %T", want, v)
	}
	return nil
}

// arity says how many arguments there can be.
func (f *function) arity() string {
	if f.more {
		return fmt.Sprintf("at least %d", len(f.parameters))
	}
	return strconv.Itoa(len(f.parameters))
}

// ofText is a function of a text whose result is about as long.
func ofText(f func(string) string) function {
	return function{parameters: []kind{isText}, call: func(b *budget, v []value) (value, error) {
		s := v[0].(string)
		if err := b.spend(2 * len(s)); err != nil {
			return nil, err
		}
		return f(s), nil
	}}
}

// ofAffix is a function of the start or end of a text, and of the text, of which it reads no more than that.
func ofAffix[R any](f func(s, affix string) R) function {
	return ofTwo(func(b *budget, affix, s string) (R, error) { return f(s, affix), b.spend(len(affix)) })
}

// ofTwo is a function of two texts.
func ofTwo[R any](f func(b *budget, first, second string) (R, error)) function {
	return function{parameters: []kind{isText, isText}, call: func(b *budget, v []value) (value, error) {
		return f(b, v[0].(string), v[1].(string))
	}}
}

// ofMany is a function of a text and any number of others.
func ofMany[R any](f func(b *budget, first string, others ...string) (R, error)) function {
	return function{parameters: []kind{isText}, more: true, call: func(b *budget, v []value) (value, error) {
		others := make([]string, 0, len(v))
		for _, other := range v[1:] {
			others = append(others, other.(string))
		}
		return f(b, v[0].(string), others...)
	}}
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
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
