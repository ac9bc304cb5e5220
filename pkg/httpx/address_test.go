package httpx

import (
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

func TestCheckURL(t *testing.T) {
	for address, want := range map[string]bool{
		"https://example.com":                    true,
		"https://example.com/a?b=c":              true,
		"http://127.0.0.1:8080/":                 true,
		"http://[::1]:8080/":                     true,
		"HTTPS://example.com":                    true,
		"https://user:password@example.com":      true,
		"https://h/" + strings.Repeat("a", 2038): true,
		"":                                       false,
		"foo":                                    false,
		"/foo":                                   false,
		"example.com/x":                          false,
		"mailto:planted@example.com":             false,
		"https://":                               false,
		"https:///planted":                       false,
		"ftp://example.com":                      false,
		"https://exam ple.com/planted":           false,
		"https://example.com/planted\x7f":        false,
		"https://example.com/%zz/planted":        false,
		"https://planted:password@":              false,
	} {
		err := CheckURL(address)
		if (err == nil) != want {
			t.Errorf("%q: error %v", address, err)
		}
		if err == nil {
			continue
		}
		if got := provider.Classify(err); got.Kind != provider.Permanent || got.Reason != provider.ReasonConfig {
			t.Errorf("%q: not a permanent error of the configuration: %+v", address, got)
		}
		if !strings.Contains(err.Error(), "spec.address") || strings.Contains(err.Error(), "planted") {
			t.Errorf("%q: the error does not name the field, or quotes it: %v", address, err)
		}
	}
}

func TestCheckHeaders(t *testing.T) {
	for _, test := range []struct {
		name, value string
		says        string
	}{
		{"X-Custom", "one two\tthree é", ""},
		{"!#$%&'*+-.^_`|~09azAZ", "", ""},
		{"", "planted", "name"},
		{"planted name", "x", "name"},
		{"planted:", "x", "name"},
		{"plantéd", "x", "name"},
		{"X-Custom", "planted\n", `"X-Custom"`},
		{"X-Custom", "planted\r", `"X-Custom"`},
		{"X-Custom", "\x00planted", `"X-Custom"`},
		{"X-Custom", "planted\x7f", `"X-Custom"`},
	} {
		err := CheckHeaders("key \"headers\"", map[string]string{"X-Fine": "planted", test.name: test.value})
		if (err == nil) != (test.says == "") {
			t.Errorf("%q: %q: error %v", test.name, test.value, err)
		}
		if err == nil {
			continue
		}
		if provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), `key "headers"`) || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "planted") {
			t.Errorf("%q: %q: not permanent, does not say what to change, or quotes it: %v", test.name, test.value, err)
		}
	}
}
