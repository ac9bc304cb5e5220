package git

import (
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
)

// BuildKey is the key of a build for a context, on hosts that limit keys to 40 characters: its SHA-1 in hexadecimal,
// as those who have written it before know it.
func BuildKey(context string) string {
	sum := sha1.Sum([]byte(context))
	return hex.EncodeToString(sum[:])
}

// fitContext returns a context of at most limit characters, and any number of them if limit is 0. The end of a longer one
// is a digest of the whole, so that contexts that begin alike stay apart.
func fitContext(context string, limit int) string {
	characters := []rune(context)
	if limit == 0 || len(characters) <= limit {
		return context
	}
	sum := sha256.Sum256([]byte(context))
	end := "-" + hex.EncodeToString(sum[:6])
	return string(characters[:limit-len(end)]) + end
}

// digest stands for what a host shows, of any length, in what is remembered of it.
func digest(shown string) string {
	sum := sha256.Sum256([]byte(shown))
	return string(sum[:])
}
