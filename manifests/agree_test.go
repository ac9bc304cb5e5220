package manifests_test

import (
	"os"
	"regexp"
	"testing"
)

// found returns what the only group of an expression matches in a file, each time the same.
func found(t *testing.T, path, expression string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	matches := regexp.MustCompile(expression).FindAllStringSubmatch(string(content), -1)
	if len(matches) == 0 {
		t.Fatalf("%s has no %s", path, expression)
	}
	for _, match := range matches[1:] {
		if match[1] != matches[0][1] {
			t.Errorf("%s has %s and %s", path, matches[0][1], match[1])
		}
	}
	return matches[0][1]
}

// TestImageGo holds the image to the Go release that go.mod names, since it does not fetch another by itself.
func TestImageGo(t *testing.T) {
	image := found(t, "../hack/Dockerfile", `ARG GO_VERSION=([0-9.]+)`)
	if want := found(t, "../go.mod", `(?m)^toolchain go([0-9.]+)$`); image != want {
		t.Errorf("hack/Dockerfile builds with Go %s, go.mod names %s", image, want)
	}
}

// TestDeniedAddresses has every page recommend the same: what is missing on one is open to whoever follows that.
func TestDeniedAddresses(t *testing.T) {
	const flag = `(--provider-deny-cidrs=\S+)`
	want := found(t, "README.md", flag)
	for _, page := range []string{"OPERATIONS.md", "SECURITY.md"} {
		if got := found(t, page, flag); got != want {
			t.Errorf("%s has %s, README.md %s", page, got, want)
		}
	}
}
