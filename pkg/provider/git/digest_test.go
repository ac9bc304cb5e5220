package git

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestFitContext(t *testing.T) {
	const limit = 255
	longest := strings.Repeat("é", limit)
	for _, context := range []string{"", "kustomization/webapp/4a8b6c1e", longest} {
		if got := fitContext(context, limit); got != context {
			t.Errorf("%q became %q", context, got)
		}
	}
	if got := fitContext(longest+"x", 0); got != longest+"x" {
		t.Errorf("cut without a limit: %q", got)
	}
	one, other := fitContext(longest+"x", limit), fitContext(longest+"y", limit)
	if one == other || one != fitContext(longest+"x", limit) {
		t.Errorf("not told apart, or not the same again: %q and %q", one, other)
	}
	if n := utf8.RuneCountInString(one); n != limit || !strings.HasPrefix(one, "ééé") {
		t.Errorf("%d characters: %q", n, one)
	}
}
