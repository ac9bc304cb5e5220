package provider

import (
	"maps"
	"testing"
)

func TestCutRunes(t *testing.T) {
	for _, test := range []struct {
		s     string
		limit int
		want  string
	}{
		{"", 3, ""},
		{"abc", 3, "abc"},
		{"abcd", 3, "ab…"},
		{"äöü", 3, "äöü"},
		{"äöüß", 3, "äö…"},
		{"🚨🚨🚨🚨", 3, "🚨🚨…"},
		{"ab", 1, "…"},
		{"a\xffbc", 3, "a\xff…"},
	} {
		if got := CutRunes(test.s, test.limit); got != test.want {
			t.Errorf("CutRunes(%q, %d) = %q, want %q", test.s, test.limit, got, test.want)
		}
	}
}

func TestCutBytes(t *testing.T) {
	for _, test := range []struct {
		s     string
		limit int
		want  string
	}{
		{"", 6, ""},
		{"abcdef", 6, "abcdef"},
		{"abcdefg", 6, "abc…"},
		{"äöüß", 8, "äöüß"},
		{"äöüßx", 8, "äö…"},
		{"🚨🚨", 7, "🚨…"},
		{"🚨🚨", 6, "…"},
		{"abcd", 2, "…"},
		{"\x80\x80\x80\x80\x80", 4, "…"},
	} {
		if got := CutBytes(test.s, test.limit); got != test.want {
			t.Errorf("CutBytes(%q, %d) = %q, want %q", test.s, test.limit, got, test.want)
		}
	}
}

func TestCutValues(t *testing.T) {
	for _, test := range []struct {
		entries map[string]string
		limit   int
		want    map[string]string
	}{
		{nil, 0, nil},
		{map[string]string{"a": "bc"}, 3, map[string]string{"a": "bc"}},
		{map[string]string{"a": "0123456789"}, 8, map[string]string{"a": "0123…"}},
		{map[string]string{"": "0123456789"}, 8, map[string]string{"": "0123…"}},
		// The short value stays whole.
		{map[string]string{"a": "0123456789", "b": "xy", "c": "0123456789"}, 17, map[string]string{"a": "012…", "b": "xy", "c": "012…"}},
		// Not even the keys fit.
		{map[string]string{"a": "0123456789", "b": "0123456789", "c": "x"}, 9, map[string]string{"a": "…", "b": "…"}},
		{map[string]string{"a": "0123456789"}, 3, map[string]string{}},
		{map[string]string{"a": "b"}, -1, map[string]string{}},
	} {
		before := maps.Clone(test.entries)
		if got := CutValues(test.entries, test.limit); !maps.Equal(got, test.want) {
			t.Errorf("CutValues(%q, %d) = %q, want %q", test.entries, test.limit, got, test.want)
		}
		if !maps.Equal(before, test.entries) {
			t.Errorf("the entries have been changed to %q", test.entries)
		}
	}
}
