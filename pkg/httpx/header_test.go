package httpx

import (
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

func TestTokenHeader(t *testing.T) {
	header, err := TokenHeader("dd-api-key", "Bearer abc")
	if err != nil || len(header) != 1 || header.Get("DD-API-KEY") != "Bearer abc" {
		t.Errorf("TokenHeader = %v, %v", header, err)
	}
	if header, err := TokenHeader("Authorization", ""); err != nil || header == nil || len(header) != 0 {
		t.Errorf("TokenHeader without a value = %v, %v", header, err)
	}
	_, err = TokenHeader("Authorization", "Bearer planted\n")
	if err == nil || provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), `"token"`) || strings.Contains(err.Error(), "planted") {
		t.Errorf("not permanent, does not name the token, or shows it: %v", err)
	}
}

func TestBasicAuth(t *testing.T) {
	if got, want := BasicAuth("user", "password"), "Basic dXNlcjpwYXNzd29yZA=="; got != want {
		t.Errorf("BasicAuth = %q, want %q", got, want)
	}
}
