package httpx

import (
	"encoding/base64"
	"maps"
	"net/http"
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

// TokenHeader returns the header that carries the token of the Secret, none if value is empty. The error is permanent
// and names the token.
func TokenHeader(name, value string) (http.Header, error) {
	header := http.Header{}
	if value == "" {
		return header, nil
	}
	if err := CheckHeaders(provider.SecretKey("token"), map[string]string{name: value}); err != nil {
		return nil, err
	}
	header.Set(name, value)
	return header, nil
}

// BasicAuth returns the value of an Authorization header for the Basic scheme (RFC 7617).
func BasicAuth(username, password string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(username+":"+password))
}
