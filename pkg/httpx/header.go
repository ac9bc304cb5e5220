package httpx

import (
	"maps"
	"slices"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// tokenChars are those of a header's name beside letters and digits (RFC 9110, section 5.6.2).
const tokenChars = "!#$%&'*+-.^_`|~"

// CheckHeaders returns a permanent error unless all headers can be sent as they are (RFC 9110, section 5): a name is
// a token, a value has no control characters. field is what the error says to change; a value is never quoted, nor a
// name that is none.
func CheckHeaders(field string, headers map[string]string) error {
	for _, name := range slices.Sorted(maps.Keys(headers)) {
		if name == "" || strings.ContainsFunc(name, isNotToken) {
			return provider.Permanentf(provider.ReasonSecret, "%s: the name of a header is empty or has characters that a name cannot have", field)
		}
		if strings.ContainsFunc(headers[name], isControl) {
			return provider.Permanentf(provider.ReasonSecret, "%s: the value of header %q has a line break or another control character", field, name)
		}
	}
	return nil
}

func isNotToken(r rune) bool {
	letter := 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z'
	digit := '0' <= r && r <= '9'
	return !letter && !digit && !strings.ContainsRune(tokenChars, r)
}

func isControl(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
