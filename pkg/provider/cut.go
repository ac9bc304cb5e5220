package provider

import (
	"maps"
	"math"
	"slices"
	"sort"
	"unicode/utf8"
)

// CutRunes returns s if it has at most limit characters (Unicode code points), and otherwise its beginning with an
// [Ellipsis] at the end, limit characters in all.
func CutRunes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	count, end := 0, 0
	for i := range s {
		if count == limit-1 {
			end = i
		}
		if count == limit {
			return s[:end] + Ellipsis
		}
		count++
	}
	return s
}

// CutBytes returns s if it has at most limit bytes, and otherwise its beginning with an [Ellipsis] at the end, limit
// bytes at most but for the ellipsis itself. It cuts between characters.
func CutBytes(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	end := max(limit-len(Ellipsis), 0)
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + Ellipsis
}

// CutValues returns entries if their keys and values have at most limit bytes together. Otherwise it returns a copy with
// the longest values cut by [CutBytes], so that short ones stay whole, and, where that is not enough, without the last
// keys.
func CutValues(entries map[string]string, limit int) map[string]string {
	keys := slices.Sorted(maps.Keys(entries))
	if size(entries, keys, math.MaxInt) <= limit {
		return entries
	}
	keys = keys[:fitting(entries, keys, limit)]
	// The first length that is too long; the one before it is not.
	tooLong := sort.Search(limit, func(n int) bool { return size(entries, keys, n) > limit })
	cut := make(map[string]string, len(keys))
	for _, key := range keys {
		cut[key] = CutBytes(entries[key], tooLong-1)
	}
	return cut
}

// size is the number of bytes of the entries with the given keys, their values cut to a length.
func size(entries map[string]string, keys []string, length int) int {
	total := 0
	for _, key := range keys {
		total += len(key) + min(len(entries[key]), length)
	}
	return total
}

// fitting is how many of the keys fit into limit with as little of their values as there can be.
func fitting(entries map[string]string, keys []string, limit int) int {
	total := 0
	for i, key := range keys {
		total += len(key) + min(len(entries[key]), len(Ellipsis))
		if total > limit {
			return i
		}
	}
	return len(keys)
}
