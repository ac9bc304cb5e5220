package git

import (
	"crypto/sha1"
	"encoding/hex"
)

// BuildKey is the key of a build for a context, on hosts that limit keys to 40 characters: its SHA-1 in hexadecimal,
// as those who have written it before know it.
func BuildKey(context string) string {
	sum := sha1.Sum([]byte(context))
	return hex.EncodeToString(sum[:])
}
