// Package standardsig verifies signatures as the Standard Webhooks specification 1.0 has them, with a symmetric key, which
// GitLab makes too: an HMAC-SHA256 of the id, the time and the body.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package standardsig

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
)

const (
	// IDHeader holds the id of the event, which stays the same when a delivery is repeated.
	IDHeader = "Webhook-Id"
	// TimestampHeader holds the time of the attempt, in seconds since 1970.
	TimestampHeader = "Webhook-Timestamp"
	// SignatureHeader holds the signatures, separated by spaces: one for each key while a sender rotates its keys.
	SignatureHeader = "Webhook-Signature"

	// Tolerance is how far the time of an attempt may be from ours, before and after. What somebody has recorded is of no
	// use to him after that, nor, since its id is remembered, before.
	Tolerance = 5 * time.Minute

	// keyPrefix starts the key as it is given to users, and version the signatures that are made with it: HMAC-SHA256.
	keyPrefix = "whsec_"
	version   = "v1,"
)

// IsKey says whether a token is a signing key: "whsec_" and the key in base64.
func IsKey(token []byte) bool {
	_, ok := keyOf(token)
	return ok
}

// CheckSecret returns an error if the token of a Secret is not a signing key.
func CheckSecret(secret map[string][]byte) error {
	if !IsKey(secret[source.TokenKey]) {
		return errors.New("token: it has to be a signing key, which is whsec_ and the key in base64, without a line break")
	}
	return nil
}

// Verify returns what a call says that is signed with the token, which is a signing key, and that has been made at about
// now: its id, until when it is good, and the body. One good signature is enough, and signatures of other versions are passed over. The error is a
// *[source.AuthError].
func Verify(r *source.Request, token []byte, now time.Time) (source.Result, error) {
	key, ok := keyOf(token)
	if !ok {
		return source.Result{}, source.Unauthenticated("the token is not a signing key: whsec_ and the key in base64")
	}
	id, timestamp := r.Header.Get(IDHeader), r.Header.Get(TimestampHeader)
	// A dot would leave open where the id ends: the specification forbids it for that.
	if id == "" || strings.Contains(id, ".") {
		return source.Result{}, source.Unauthenticated("%s is missing or has a dot", IDHeader)
	}
	until, fresh := validUntil(timestamp, now)
	if !fresh {
		return source.Result{}, source.Unauthenticated("%s is not a time of the last or next %s", TimestampHeader, Tolerance)
	}
	if !signed(r.Header, sign(key, id, timestamp, r.Body)) {
		return source.Result{}, source.Unauthenticated("%s has no signature that matches", SignatureHeader)
	}
	return source.Result{DeliveryID: id, ValidUntil: until, Payload: r.Body}, nil
}

// keyOf decodes a signing key. The padding may be missing.
func keyOf(token []byte) ([]byte, bool) {
	encoded, ok := strings.CutPrefix(string(token), keyPrefix)
	if !ok {
		return nil, false
	}
	key, err := base64.RawStdEncoding.DecodeString(strings.TrimRight(encoded, "="))
	return key, err == nil && len(key) > 0
}

// validUntil says whether a timestamp is one of about now, and when that ends.
func validUntil(timestamp string, now time.Time) (time.Time, bool) {
	seconds, err := strconv.ParseInt(timestamp, 10, 64)
	if err != nil {
		return time.Time{}, false
	}
	oldest, newest := now.Add(-Tolerance).Unix(), now.Add(Tolerance).Unix()
	// Of our time only whole seconds count.
	until := time.Unix(seconds, 0).Add(Tolerance + time.Second)
	return until, oldest <= seconds && seconds <= newest
}

// sign returns the signature in the form of the header.
func sign(key []byte, id, timestamp string, body []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return []byte(version + base64.StdEncoding.EncodeToString(mac.Sum(nil)))
}

// signed says whether the wanted signature is one of the header's.
func signed(header http.Header, want []byte) bool {
	for given := range strings.SplitSeq(header.Get(SignatureHeader), " ") {
		if hmac.Equal([]byte(given), want) {
			return true
		}
	}
	return false
}
