package nexus_test

import (
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/nexus"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

const (
	header = "X-Nexus-Webhook-Signature"

	// The vector of spec/receivers.md §5.11.
	body      = `{"action":"UPDATED","repositoryName":"docker-hosted"}`
	signature = "0b9e8e2333be6dce68f9a792804389b0b37fda51"
)

func TestVerify(t *testing.T) {
	const good, notAuthentic, bad = sourcetest.Authentic, sourcetest.NotAuthentic, sourcetest.BadPayload
	for _, test := range []struct {
		name, signature, body string
		want                  sourcetest.Outcome
	}{
		{"sample", signature, body, good},
		{"upper case", strings.ToUpper(signature), body, notAuthentic},
		{"with a prefix", "sha1=" + signature, body, notAuthentic},
		{"missing", "", body, notAuthentic},
		{"wrong", strings.Repeat("0", 40), body, notAuthentic},
		{"another body", signature, body + " ", notAuthentic},
		{"wrong, and not JSON", signature, "x", notAuthentic},
		// These signatures are from openssl dgst -sha1 -hmac.
		{"no fields", "10fa8e2f6fb437edc91bc60f8f810b7a93abd941", "{}", good},
		{"field of a wrong type", "120bc07aa2ae7ab97dd3be6ff3dc0b809b17a027", `{"action":1}`, bad},
		{"two documents", "a80c65363bd143d65328f34c02eca89cc3f53b90", "{} {}", bad},
		{"empty body", "2faf019305d2df39a640dcfb6af92efc64c83fcc", "", bad},
	} {
		sourcetest.RunCases(t, nexus.Type(), []sourcetest.Case{{
			Name: test.name, Header: sourcetest.Header(header, test.signature), Body: test.body, Want: test.want,
		}})
	}
	sourcetest.RunCases(t, nexus.Type(), []sourcetest.Case{{
		Name: "empty token", Secret: sourcetest.Secret("token", ""), Header: sourcetest.Header(header, signature), Body: body,
		Want: notAuthentic,
	}})
}

// FuzzVerify checks that only the signed body verifies under a signature, and that a body is only looked at when it is
// signed.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(body), signature)
	f.Add([]byte("{} {}"), "a80c65363bd143d65328f34c02eca89cc3f53b90")
	f.Add([]byte(""), "")
	secret := sourcetest.Secret("token", sourcetest.Token)
	f.Fuzz(func(t *testing.T, sent []byte, given string) {
		_, err := sourcetest.Verify(nexus.Type(), sourcetest.Header(header, signature), string(sent), secret)
		if got := sourcetest.OutcomeOf(t, err); (got == sourcetest.Authentic) != (string(sent) == body) {
			t.Fatalf("under the signature of %q: %v", body, got)
		}
		mac := hmac.New(sha1.New, secret["token"])
		mac.Write(sent)
		_, err = sourcetest.Verify(nexus.Type(), sourcetest.Header(header, given), string(sent), secret)
		if got := sourcetest.OutcomeOf(t, err); (got == sourcetest.NotAuthentic) == (given == hex.EncodeToString(mac.Sum(nil))) {
			t.Fatalf("%q: %v", given, got)
		}
	})
}
