package provider

import (
	"strings"
	"unicode"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// ShortName is kind/name in lower case, as incidents and commit statuses name an object.
func ShortName(o event.ObjectReference) string { return strings.ToLower(o.Kind + "/" + o.Name) }

// Describe makes words of a reason, all in lower case: "HealthCheckFailed" is "health check failed", "OCIArtifact2Old"
// is "oci artifact 2 old". What is neither letter nor digit is a word of its own.
func Describe(reason string) string {
	runes := []rune(reason)
	var words strings.Builder
	for i, r := range runes {
		if i > 0 && isBoundary(runes, i) {
			words.WriteByte(' ')
		}
		words.WriteRune(r)
	}
	return strings.ToLower(words.String())
}

// isBoundary says whether a word starts at i, which is not the beginning.
func isBoundary(runes []rune, i int) bool {
	before, here := class(runes[i-1]), class(runes[i])
	if before == upper {
		// A capital starts the word of the small letters behind it, and ends that of the capitals before it.
		return here != lower && (here != upper || i+1 < len(runes) && class(runes[i+1]) == lower)
	}
	return before != here
}

// runeClass is what the runes of a word have in common.
type runeClass int

const (
	other runeClass = iota
	lower
	upper
	digit
)

func class(r rune) runeClass {
	switch {
	case unicode.IsLower(r):
		return lower
	case unicode.IsUpper(r):
		return upper
	case unicode.IsDigit(r):
		return digit
	default:
		return other
	}
}
