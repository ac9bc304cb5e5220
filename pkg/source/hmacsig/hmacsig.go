// Package hmacsig verifies HMACs that are written in hexadecimal: of the form "<algorithm>=<hex>", as GitHub, Bitbucket and
// the Provider type generic-hmac make them, or of the bare digits, as Gitea, Forgejo, Nexus and JFrog do.
package hmacsig

import (
	"crypto/hmac"
	"crypto/sha1" //nolint:gosec // As an HMAC it is not broken, and older senders know no other.
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"hash"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/source"
)

// Verify returns nil if signature is the one of message under key. The algorithm is sha1, sha256 or sha512, in lower
// case; the hexadecimal digits may be of either case. The error is a *[source.AuthError] that quotes neither.
func Verify(signature string, key, message []byte) error {
	if err := bothThere(signature, key); err != nil {
		return err
	}
	algorithm, digits, ok := strings.Cut(signature, "=")
	if !ok {
		return source.Unauthenticated("the signature is not of the form <algorithm>=<hex>")
	}
	newHash := hashOf(algorithm)
	if newHash == nil {
		return source.Unauthenticated("the signature's algorithm is none of sha1, sha256, sha512")
	}
	given, err := hex.DecodeString(digits)
	if err != nil {
		return source.Unauthenticated("the signature is not hexadecimal")
	}
	if !hmac.Equal(given, sum(newHash, key, message)) {
		return errMismatch()
	}
	return nil
}

// VerifyHex returns nil if signature is the one of message under key: the digits alone, in lower case. The error is a
// *[source.AuthError] that quotes neither.
func VerifyHex(newHash func() hash.Hash, signature string, key, message []byte) error {
	if err := bothThere(signature, key); err != nil {
		return err
	}
	if !hmac.Equal([]byte(signature), []byte(hex.EncodeToString(sum(newHash, key, message)))) {
		return errMismatch()
	}
	return nil
}

func bothThere(signature string, key []byte) error {
	if len(key) == 0 {
		return source.Unauthenticated("there is no token to verify the signature with")
	}
	if signature == "" {
		return source.Unauthenticated("the call is not signed")
	}
	return nil
}

func errMismatch() error { return source.Unauthenticated("the signature does not match") }

func sum(newHash func() hash.Hash, key, message []byte) []byte {
	mac := hmac.New(newHash, key)
	mac.Write(message)
	return mac.Sum(nil)
}

func hashOf(algorithm string) func() hash.Hash {
	switch algorithm {
	case "sha1":
		return sha1.New
	case "sha256":
		return sha256.New
	case "sha512":
		return sha512.New
	default:
		return nil
	}
}
