package chat

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"testing"
)

// size counts characters of all that is shown, and 10 for what is around it.
func size(c Content) int {
	count := 10 + Characters(c.Message)
	for _, entry := range c.Metadata {
		count += Characters(entry.Key) + Characters(entry.Value)
	}
	return count
}

func TestFit(t *testing.T) {
	entries := func(values ...string) []Entry {
		entries := []Entry{}
		for i, value := range values {
			entries = append(entries, Entry{string(rune('a' + i)), value})
		}
		return entries
	}
	many := func(n int, value string) []Entry {
		entries := []Entry{}
		for i := range n {
			entries = append(entries, Entry{fmt.Sprintf("%03d", i), value})
		}
		return entries
	}
	x := func(n int) string { return strings.Repeat("x", n) }
	for _, test := range []struct {
		name   string
		limits Limits
		c      Content
		want   Content
	}{
		{"no limits", Limits{}, Content{x(9000), entries(x(9000))}, Content{x(9000), entries(x(9000))}},
		{"message", Limits{Message: 5}, Content{x(6), entries(x(6))}, Content{"xxxx…", entries(x(6))}},
		{"message at its limit", Limits{Message: 6}, Content{x(6), entries()}, Content{x(6), entries()}},
		{"characters, not bytes", Limits{Message: 3}, Content{"🚨🚨🚨", entries()}, Content{"🚨🚨🚨", entries()}},
		{"key and value", Limits{Key: 2, Value: 3}, Content{"m", []Entry{{"key", "value"}}}, Content{"m", []Entry{{"k…", "va…"}}}},
		{"entries", Limits{Entries: 2}, Content{"m", entries("1", "2", "3")}, Content{"m", []Entry{{"a", "1"}, {"…", "2 more"}}}},
		{"entries at their limit", Limits{Entries: 3}, Content{"m", entries("1", "2", "3")}, Content{"m", entries("1", "2", "3")}},
		{"total at its limit", Limits{Total: 100}, Content{x(80), entries(x(9))}, Content{x(80), entries(x(9))}},
		{"message over the total", Limits{Total: 100}, Content{x(81), entries(x(9))}, Content{x(79) + "…", entries(x(9))}},
		{"message far over the total", Limits{Total: 100}, Content{x(99_000), entries(x(9))}, Content{x(79) + "…", entries(x(9))}},
		{"message of wide characters", Limits{Total: 100}, Content{strings.Repeat("🚨", 99), entries()}, Content{strings.Repeat("🚨", 44) + "…", entries()}},
		{"value over the total", Limits{Total: 100}, Content{x(20), entries(x(90), x(9))}, Content{x(20), entries(x(58)+"…", x(9))}},
		{"both over the total", Limits{Total: 200}, Content{x(150), entries(x(90), x(90))}, Content{x(95) + "…", entries(x(45)+"…", x(45)+"…")}},
		{"message keeps half", Limits{Total: 210}, Content{x(100), entries(x(400))}, Content{x(100), entries(x(98) + "…")}},
		{"entries over the total", Limits{Total: 200}, Content{x(20), many(50, x(60))}, Content{x(20), append(many(4, x(31)+"…"), Entry{"…", "46 more"})}},
	} {
		t.Run(test.name, func(t *testing.T) {
			if test.limits.Total > 0 {
				test.limits.Size = size
			}
			before := slices.Clone(test.c.Metadata)
			got := test.limits.Fit(test.c)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %d:  %+v\nwant %d: %+v", size(got), got, size(test.want), test.want)
			}
			if !slices.Equal(test.c.Metadata, before) {
				t.Error("the content that was given has changed")
			}
		})
	}
}

func TestCharacters(t *testing.T) {
	for s, want := range map[string]int{"": 0, "abc": 3, "äöü": 3, "漢": 1, "🚨": 2, "👩‍🚀": 5, "a\xffb": 3} {
		if got := Characters(s); got != want {
			t.Errorf("Characters(%q) = %d, want %d", s, got, want)
		}
	}
}
