package jfrog_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/jfrog"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

const (
	header = "X-JFrog-Event-Auth"

	body = `{"domain":"docker","event_type":"pushed","data":{"image_name":"shop","tag":"1.2.3"}}`
	// signature is from openssl sha256 -hmac.
	signature = "e285aec1b29db77776833c8d70edab3f6b1480de389e83877f1b400830943e2b"
)

func TestVerify(t *testing.T) {
	const good, notAuthentic = sourcetest.Authentic, sourcetest.NotAuthentic
	for _, test := range []struct {
		name, token, auth, body string
		want                    sourcetest.Outcome
	}{
		{"signed", sourcetest.Token, signature, body, good},
		{"token as it is", sourcetest.Token, sourcetest.Token, body, good},
		{"token as it is, any body", sourcetest.Token, sourcetest.Token, "not JSON", good},
		{"missing", sourcetest.Token, "", body, notAuthentic},
		{"wrong", sourcetest.Token, strings.Repeat("0", 64), body, notAuthentic},
		{"upper case", sourcetest.Token, strings.ToUpper(signature), body, notAuthentic},
		{"with a prefix", sourcetest.Token, "sha256=" + signature, body, notAuthentic},
		{"another body", sourcetest.Token, signature, body + " ", notAuthentic},
		{"another token", "other", signature, body, notAuthentic},
		{"empty token, empty header", "", "", body, notAuthentic},
		// The signature of the body under an empty key.
		{"empty token", "", "6349e2ce643c134b846e8a4c7a405998022c1f6471f3375f1f12f050fad500c5", body, notAuthentic},
	} {
		sourcetest.RunCases(t, jfrog.Type(), []sourcetest.Case{{
			Name: test.name, Secret: sourcetest.Secret("token", test.token),
			Header: sourcetest.Header(header, test.auth), Body: test.body, Want: test.want,
		}})
	}
}

// FuzzVerify checks that the token and the body's signature are good, and nothing else.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(body), sourcetest.Token, signature)
	f.Add([]byte(body), sourcetest.Token, sourcetest.Token)
	f.Add([]byte(""), "", "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
	f.Fuzz(func(t *testing.T, sent []byte, token, given string) {
		mac := hmac.New(sha256.New, []byte(token))
		mac.Write(sent)
		right := hex.EncodeToString(mac.Sum(nil))
		for _, auth := range []string{given, right, token} {
			want := token != "" && (auth == token || auth == right)
			_, err := sourcetest.Verify(jfrog.Type(), sourcetest.Header(header, auth), string(sent), sourcetest.Secret("token", token))
			if got := sourcetest.OutcomeOf(t, err) == sourcetest.Authentic; got != want {
				t.Fatalf("%q for the token %q: %v", auth, token, err)
			}
		}
	})
}
