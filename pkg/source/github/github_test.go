package github_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/github"
)

// The vectors of spec/receivers.md §5.4.
const (
	body       = `{"ref":"refs/heads/main","repository":{"full_name":"acme/shop"}}`
	sha256s    = "sha256=1a42b694b2278740ea64b15422659d3c115fb48cfc7c747007f11ad658dc5ae2"
	sha1s      = "sha1=0a2f6b61c2b41249189b8d13166c18b0a4c671cb"
	form       = "payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%2C%22repository%22%3A%7B%22full_name%22%3A%22acme%2Fshop%22%7D%7D"
	formSHA256 = "sha256=0774c0d9af8b1b3e1b832eda4d3a7ca179a76d3122ea386529ea9fc1b4b9232f"
	// badForm is no form; these signatures are from openssl dgst -sha256 -hmac.
	badForm       = "payload=%zz"
	badFormSHA256 = "sha256=9ee6e5ebf5bc86fc9e3de70740a247b2491c3efe4dcc5e55e3490e1def38a61e"
	// otherForm has no payload.
	otherForm       = "other=x"
	otherFormSHA256 = "sha256=3ffe6d99c28894df4f37c72011f718add22ab57aeed040a060dfa1339eabd054"

	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

func verify(header http.Header, body string) (source.Result, error) {
	return github.Type().Verifier.Verify(context.Background(), &source.Request{Header: header, Body: []byte(body)},
		map[string][]byte{source.TokenKey: []byte("s3cr3t-webhook-token")})
}

// headers returns a push event's.
func headers(contentType, signature256, signature string) http.Header {
	h := http.Header{}
	for name, value := range map[string]string{
		"X-GitHub-Event":      "push",
		"Content-Type":        contentType,
		"X-Hub-Signature-256": signature256,
		"X-Hub-Signature":     signature,
	} {
		if value != "" {
			h.Set(name, value)
		}
	}
	return h
}

func TestVerify(t *testing.T) {
	const good, notAuthentic, badPayload = "", "AuthError", "PayloadError"
	for _, test := range []struct {
		name    string
		header  http.Header
		body    string
		want    string
		payload string
	}{
		{"JSON", headers(jsonType, sha256s, ""), body, good, body},
		{"JSON with parameters", headers(jsonType+"; charset=utf-8", sha256s, ""), body, good, body},
		{"JSON with a malformed parameter", headers(jsonType+"; charset", sha256s, ""), body, good, body},
		{"old header", headers(jsonType, "", sha1s), body, good, body},
		{"newer algorithm in the old header", headers(jsonType, "", sha256s), body, good, body},
		{"older algorithm in the new header", headers(jsonType, sha1s, ""), body, good, body},
		{"form", headers(formType, formSHA256, ""), form, good, body},
		{"right new header beside a wrong old one", headers(jsonType, sha256s, "sha1=00"), body, good, body},
		{"wrong new header beside a right old one", headers(jsonType, "sha256=00", sha1s), body, notAuthentic, ""},
		{"no signature", headers(jsonType, "", ""), body, notAuthentic, ""},
		{"signature of the form's payload", headers(formType, sha256s, ""), form, notAuthentic, ""},
		{"another body", headers(jsonType, sha256s, ""), body + " ", notAuthentic, ""},
		{"unsigned and of a wrong type", headers("text/plain", "", ""), body, notAuthentic, ""},
		{"no Content-Type", headers("", sha256s, ""), body, badPayload, ""},
		{"wrong Content-Type", headers("text/plain", sha256s, ""), body, badPayload, ""},
		{"JSON of another kind", headers("application/vnd.api+json", sha256s, ""), body, badPayload, ""},
		{"malformed form", headers(formType, badFormSHA256, ""), badForm, badPayload, ""},
		{"form without payload", headers(formType, otherFormSHA256, ""), otherForm, good, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			result, err := verify(test.header, test.body)
			var payload *source.PayloadError
			got := good
			switch {
			case source.IsUnauthenticated(err):
				got = notAuthentic
			case errors.As(err, &payload):
				got = badPayload
			case err != nil:
				t.Fatalf("an error of no known kind: %v", err)
			}
			if got != test.want {
				t.Fatalf("got %q (%v), want %q", got, err, test.want)
			}
			if err != nil {
				return
			}
			if result.Event != "push" || string(result.Payload) != test.payload {
				t.Errorf("got %+v, want a push with %q", result, test.payload)
			}
		})
	}
}

// FuzzVerify checks that only the signed body verifies under a signature, whatever it is said to be, and that a form
// never makes it panic.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(body), sha256s, jsonType)
	f.Add([]byte(form), formSHA256, formType)
	f.Add([]byte(badForm), badFormSHA256, formType)
	f.Add([]byte("{}"), "sha256", `application/json; a="`)
	f.Fuzz(func(t *testing.T, sent []byte, signature, contentType string) {
		_, err := verify(headers(contentType, signature, ""), string(sent))
		var payload *source.PayloadError
		if err != nil && !source.IsUnauthenticated(err) && !errors.As(err, &payload) {
			t.Fatalf("an error of no known kind: %v", err)
		}
		if _, err := verify(headers(jsonType, sha256s, ""), string(sent)); (err == nil) != (string(sent) == body) {
			t.Fatalf("under the signature of %q: %v", body, err)
		}
	})
}
