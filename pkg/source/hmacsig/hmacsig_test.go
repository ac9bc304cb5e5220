package hmacsig_test

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/hmacsig"
)

// The vectors of spec/receivers.md §5.2.
const (
	token   = "s3cr3t-webhook-token"
	body    = `{"image":"registry.example.com/shop:1.2.3"}`
	sha1s   = "sha1=edd09a009bfbed3a680d8d4e16cdb5a3e5fdd294"
	sha256s = "sha256=91053bea9db4b5573f35ed75460e02167a27948fb6b7ce0adf458d2e777f8640"
	sha512s = "sha512=783f1f3291ab4244d459275dc7d106cc25fa5b4990dc21d5d1d1bfc3f777ab4e73e15e2ecb12807ff0a76f9b464d98dccf57bcd5ab0030e0fb7224abbecd1985"
)

func TestVerify(t *testing.T) {
	for _, test := range []struct {
		name, signature, key, message string
		want                          string // of the error; empty when the signature is good
	}{
		{"sha1", sha1s, token, body, ""},
		{"sha256", sha256s, token, body, ""},
		{"sha512", sha512s, token, body, ""},
		{"digits in upper case", "sha256=" + strings.ToUpper(sha256s[len("sha256="):]), token, body, ""},
		// HMAC-SHA256 of nothing under "key", RFC 4231's function with an empty message.
		{"empty message", "sha256=5d5d139563c95b5967b9bd9a8c9b233a9dedb45072794cd232dc1b74832607d0", "key", "", ""},
		{"none", "", token, body, "not signed"},
		{"no algorithm", sha256s[len("sha256="):], token, body, "not of the form"},
		{"empty digits", "sha256=", token, body, "does not match"},
		{"algorithm in upper case", "SHA256=" + sha256s[len("sha256="):], token, body, "none of sha1"},
		{"space before the algorithm", " " + sha256s, token, body, "none of sha1"},
		{"md5", "md5=" + sha1s[len("sha1="):], token, body, "none of sha1"},
		{"odd number of digits", sha256s[:len(sha256s)-1], token, body, "not hexadecimal"},
		{"not hexadecimal", "sha256=zz", token, body, "not hexadecimal"},
		{"space after", sha256s + " ", token, body, "not hexadecimal"},
		{"cut", sha256s[:len(sha256s)-2], token, body, "does not match"},
		{"under another algorithm's name", "sha1=" + sha256s[len("sha256="):], token, body, "does not match"},
		{"another token", sha256s, "other", body, "does not match"},
		{"another body", sha256s, token, body + "\n", "does not match"},
		{"no token", "sha256=b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "", "", "no token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			checkError(t, hmacsig.Verify(test.signature, []byte(test.key), []byte(test.message)), test.want)
		})
	}
}

func TestVerifyHex(t *testing.T) {
	digits := strings.TrimPrefix(sha256s, "sha256=")
	for _, test := range []struct {
		name, signature, key, message string
		newHash                       func() hash.Hash
		want                          string // of the error; empty when the signature is good
	}{
		{"sha256", digits, token, body, sha256.New, ""},
		{"sha1", strings.TrimPrefix(sha1s, "sha1="), token, body, sha1.New, ""},
		{"of another hash", digits, token, body, sha1.New, "does not match"},
		{"none", "", token, body, sha256.New, "not signed"},
		{"with an algorithm", sha256s, token, body, sha256.New, "does not match"},
		{"upper case", strings.ToUpper(digits), token, body, sha256.New, "does not match"},
		{"space after", digits + " ", token, body, sha256.New, "does not match"},
		{"another token", digits, "other", body, sha256.New, "does not match"},
		{"another body", digits, token, body + "\n", sha256.New, "does not match"},
		// HMAC-SHA256 of nothing under nothing.
		{"no token", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad", "", "", sha256.New, "no token"},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := hmacsig.VerifyHex(test.newHash, test.signature, []byte(test.key), []byte(test.message))
			checkError(t, err, test.want)
		})
	}
}

// checkError checks that an error is an AuthError that says what is wanted, or is none if that is empty.
func checkError(t *testing.T, err error, want string) {
	t.Helper()
	switch {
	case want == "" && err != nil:
		t.Errorf("refused: %v", err)
	case want != "" && (!source.IsUnauthenticated(err) || !strings.Contains(err.Error(), want)):
		t.Errorf("got %v, want an AuthError with %q", err, want)
	}
}

// FuzzVerify checks that the right signature verifies, that with one bit of the body altered it does not, and that
// nothing else verifies at all.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(body), []byte(token), sha256s, uint(3))
	f.Add([]byte{0}, []byte("k"), "sha1=00", uint(0))
	f.Add([]byte(body), []byte(token), "sha256="+strings.Repeat("0", 64), uint(99))
	f.Fuzz(func(t *testing.T, message, key []byte, signature string, bit uint) {
		if len(key) == 0 {
			if hmacsig.Verify(signature, key, message) == nil || hmacsig.VerifyHex(sha256.New, signature, key, message) == nil {
				t.Fatal("verified without a token")
			}
			return
		}
		mac := hmac.New(sha256.New, key)
		mac.Write(message)
		right := hex.EncodeToString(mac.Sum(nil))
		if err := hmacsig.Verify("sha256="+right, key, message); err != nil {
			t.Fatalf("the right signature was refused: %v", err)
		}
		if err := hmacsig.VerifyHex(sha256.New, right, key, message); err != nil {
			t.Fatalf("the right digits were refused: %v", err)
		}
		if signature != right && hmacsig.VerifyHex(sha256.New, signature, key, message) == nil {
			t.Fatal("wrong digits verified")
		}
		digits, isSHA256 := strings.CutPrefix(signature, "sha256=")
		if isSHA256 && !strings.EqualFold(digits, right) && hmacsig.Verify(signature, key, message) == nil {
			t.Fatal("a wrong signature verified")
		}
		if len(message) > 0 {
			altered := bytes.Clone(message)
			bit %= uint(8 * len(altered))
			altered[bit/8] ^= 1 << (bit % 8)
			if hmacsig.Verify("sha256="+right, key, altered) == nil {
				t.Fatal("an altered body verified")
			}
		}
	})
}
