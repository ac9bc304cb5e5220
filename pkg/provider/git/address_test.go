package git

import (
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

func TestParseAddress(t *testing.T) {
	for address, want := range map[string]string{
		"git@gitlab.com:foo/bar.git":              "https://gitlab.com foo/bar",
		"gitlab.com:foo/bar":                      "https://gitlab.com foo/bar",
		"ssh://git@github.com/a/b":                "https://github.com a/b",
		"git+ssh://git@github.com/a/b.git":        "https://github.com a/b",
		"git://github.com/a/b.git":                "https://github.com a/b",
		"git://h:9418/o/r":                        "https://h o/r",
		"ssh://git@h:2222/o/r":                    "https://h:2222 o/r",
		"ssh://git@h:22/o/r":                      "https://h o/r",
		"https://gitlab.com/foo/bar/foo.git":      "https://gitlab.com foo/bar/foo",
		"https://gitlab.com/1234":                 "https://gitlab.com 1234",
		"http://127.0.0.1:3000/o/r":               "http://127.0.0.1:3000 o/r",
		"HTTPS://user:pw@h/o/r.git?x=y#z":         "https://h o/r",
		"https://h/o/r/":                          "https://h o/r",
		"https://h/o/r.git/":                      "https://h o/r",
		"https://dev.azure.com/a/my%20p/_git/r":   "https://dev.azure.com a/my p/_git/r",
		"git@ssh.dev.azure.com:v3/org/project/re": "https://ssh.dev.azure.com v3/org/project/re",
		"https://[::1]:8443/o/r":                  "https://[::1]:8443 o/r",
		"git@github.com:/a/b.git":                 "https://github.com a/b",
	} {
		r, err := ParseAddress(address)
		if err != nil || r.Base.String()+" "+strings.Join(r.Path, "/") != want {
			t.Errorf("%s: got %v %q, %v, want %s", address, r.Base, r.Path, err, want)
		}
	}
	for _, address := range []string{
		"", "planted", "/srv/planted.git", "ftp://planted/o/r", "https://", "https:///o/planted", "https://planted", "https://planted/",
		"https://h/o/../planted", "https://h/o//planted", "https://h/%zz/planted", "git@:planted/b", "https://pl anted/o/r", "https://h/o/planted/..",
		"https://h/.git", "git@h:",
	} {
		if _, err := ParseAddress(address); err == nil || provider.Classify(err).Kind != provider.Permanent ||
			!strings.Contains(err.Error(), "spec.address") || strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: not a permanent error that names the field and hides the address: %v", address, err)
		}
	}
}

func FuzzParseAddress(f *testing.F) {
	for _, address := range []string{"git@h:o/r.git", "https://u:p@h:1/o/r", "ssh://h/o/r", "a:b", "https://h/%2e%2e/x", "git+ssh://[::1]:2/x/y/z"} {
		f.Add(address)
	}
	f.Fuzz(func(t *testing.T, address string) {
		r, err := ParseAddress(address)
		if err != nil {
			return
		}
		if r.Base.Host == "" || r.Base.User != nil || r.Base.Path != "" || r.Base.Scheme != "https" && r.Base.Scheme != "http" {
			t.Errorf("base %+v", r.Base)
		}
		for _, element := range r.Path {
			if escaped := Escape(element); element == "" || element == "." || element == ".." || strings.ContainsAny(escaped, "/?#") {
				t.Errorf("element %q of the path, escaped %q", element, escaped)
			}
		}
	})
}
