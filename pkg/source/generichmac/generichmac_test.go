package generichmac_test

import (
	"context"
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/generichmac"
)

// The vectors of spec/receivers.md §5.2.
const (
	body    = `{"image":"registry.example.com/shop:1.2.3"}`
	sha1s   = "sha1=edd09a009bfbed3a680d8d4e16cdb5a3e5fdd294"
	sha256s = "sha256=91053bea9db4b5573f35ed75460e02167a27948fb6b7ce0adf458d2e777f8640"
	sha512s = "sha512=783f1f3291ab4244d459275dc7d106cc25fa5b4990dc21d5d1d1bfc3f777ab4e73e15e2ecb12807ff0a76f9b464d98dccf57bcd5ab0030e0fb7224abbecd1985"
)

func verify(header http.Header, body string) (source.Result, error) {
	return generichmac.Type().Verifier.Verify(context.Background(), &source.Request{Header: header, Body: []byte(body)},
		map[string][]byte{source.TokenKey: []byte("s3cr3t-webhook-token")})
}

func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name   string
		header http.Header
		body   string
		good   bool
	}{
		{"sha1", http.Header{"X-Signature": {sha1s}}, body, true},
		{"sha256", http.Header{"X-Signature": {sha256s}}, body, true},
		{"sha512", http.Header{"X-Signature": {sha512s}}, body, true},
		{"any Content-Type", http.Header{"X-Signature": {sha256s}, "Content-Type": {"text/plain"}}, body, true},
		{"no header", http.Header{}, body, false},
		{"header of another type", http.Header{"X-Hub-Signature-256": {sha256s}}, body, false},
		{"another body", http.Header{"X-Signature": {sha256s}}, body + " ", false},
		{"empty body under the signature of another", http.Header{"X-Signature": {sha256s}}, "", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := verify(test.header, test.body)
			switch {
			case test.good && (err != nil || string(result.Payload) != test.body):
				t.Errorf("got %+v, %v; want it verified", result, err)
			case !test.good && !source.IsUnauthenticated(err):
				t.Errorf("got %v, want an AuthError", err)
			}
		})
	}
}

// FuzzVerify checks that only the signed body verifies under a signature, whatever else is sent.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(body), sha256s)
	f.Add([]byte(""), "sha1=")
	f.Add([]byte("{}"), "=")
	f.Fuzz(func(t *testing.T, sent []byte, signature string) {
		result, err := verify(http.Header{"X-Signature": {signature}}, string(sent))
		if err == nil && string(sent) != string(result.Payload) {
			t.Fatal("what is handed on is not what was signed")
		}
		if _, err := verify(http.Header{"X-Signature": {sha256s}}, string(sent)); (err == nil) != (string(sent) == body) {
			t.Fatalf("under the signature of %q: %v", body, err)
		}
	})
}
