package source_test

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
)

func TestEqualSecret(t *testing.T) {
	for _, test := range []struct {
		given, secret string
		want          bool
	}{
		{"secret", "secret", true},
		{"secret", "Secret", false},
		{"secret", "secret\n", false},
		{"secre", "secret", false},
		{"", "secret", false},
		{"secret", "", false},
		{"", "", false},
	} {
		if got := source.EqualSecret(test.given, []byte(test.secret)); got != test.want {
			t.Errorf("EqualSecret(%q, %q) = %v", test.given, test.secret, got)
		}
	}
	if source.EqualSecret("", nil) {
		t.Error("nothing is equal to no secret")
	}
}
