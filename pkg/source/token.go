package source

import (
	"crypto/sha256"
	"crypto/subtle"
)

// TokenKey is the key of a Receiver's Secret that verifies its calls and salts its webhook path.
const TokenKey = "token"

// EqualSecret says whether what a caller has given is the secret, in a time that tells nothing of the secret: the two
// are hashed first, since the comparison of texts of unequal length ends at once. An empty secret equals nothing.
func EqualSecret(given string, secret []byte) bool {
	a, b := sha256.Sum256([]byte(given)), sha256.Sum256(secret)
	return subtle.ConstantTimeCompare(a[:], b[:]) == 1 && len(secret) > 0
}
