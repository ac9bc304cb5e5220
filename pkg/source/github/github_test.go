package github_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/github"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
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

	delivery = "f6266f16-1bf3-46a5-9ea4-602e06ead473"

	jsonType = "application/json"
	formType = "application/x-www-form-urlencoded"
)

// headers returns a push event's.
func headers(contentType, signature256, signature string) http.Header {
	return sourcetest.Header("X-GitHub-Event", "push", "X-GitHub-Delivery", delivery, "Content-Type", contentType,
		"X-Hub-Signature-256", signature256, "X-Hub-Signature", signature)
}

// with returns headers with one more.
func with(h http.Header, name, value string) http.Header {
	h.Set(name, value)
	return h
}

func TestVerify(t *testing.T) {
	const good, notAuthentic, badPayload = sourcetest.Authentic, sourcetest.NotAuthentic, sourcetest.BadPayload
	cases := []sourcetest.Case{
		{Name: "JSON", Header: headers(jsonType, sha256s, ""), Body: body, Want: good},
		{Name: "JSON with parameters", Header: headers(jsonType+"; charset=utf-8", sha256s, ""), Body: body, Want: good},
		{Name: "JSON with a malformed parameter", Header: headers(jsonType+"; charset", sha256s, ""), Body: body, Want: good},
		{Name: "old header", Header: headers(jsonType, "", sha1s), Body: body, Want: good},
		{Name: "newer algorithm in the old header", Header: headers(jsonType, "", sha256s), Body: body, Want: good},
		{Name: "older algorithm in the new header", Header: headers(jsonType, sha1s, ""), Body: body, Want: good},
		{Name: "form", Header: headers(formType, formSHA256, ""), Body: form, Payload: body, Want: good},
		{Name: "right new header beside a wrong old one", Header: headers(jsonType, sha256s, "sha1=00"), Body: body, Want: good},
		{Name: "wrong new header beside a right old one", Header: headers(jsonType, "sha256=00", sha1s), Body: body, Want: notAuthentic},
		{Name: "no signature", Header: headers(jsonType, "", ""), Body: body, Want: notAuthentic},
		{Name: "signature of the form's payload", Header: headers(formType, sha256s, ""), Body: form, Want: notAuthentic},
		{Name: "another body", Header: headers(jsonType, sha256s, ""), Body: body + " ", Want: notAuthentic},
		{Name: "another token", Secret: sourcetest.Secret("token", "other"), Header: headers(jsonType, sha256s, ""), Body: body,
			Want: notAuthentic},
		{Name: "empty token", Secret: sourcetest.Secret("token", ""), Header: headers(jsonType, "", ""), Body: body,
			Want: notAuthentic},
		{Name: "unsigned and of a wrong type", Header: headers("text/plain", "", ""), Body: body, Want: notAuthentic},
		{Name: "no Content-Type", Header: headers("", sha256s, ""), Body: body, Want: badPayload},
		{Name: "wrong Content-Type", Header: headers("text/plain", sha256s, ""), Body: body, Want: badPayload},
		{Name: "JSON of another kind", Header: headers("application/vnd.api+json", sha256s, ""), Body: body, Want: badPayload},
		{Name: "malformed form", Header: headers(formType, badFormSHA256, ""), Body: badForm, Want: badPayload},
	}
	for i := range cases {
		cases[i].Event, cases[i].DeliveryID = "push", delivery
	}
	sourcetest.RunCases(t, github.Type(), cases)
}

func TestFormWithoutPayload(t *testing.T) {
	result, err := sourcetest.Verify(github.Type(), headers(formType, otherFormSHA256, ""), otherForm,
		sourcetest.Secret("token", sourcetest.Token))
	if err != nil || len(result.Payload) != 0 {
		t.Errorf("got %+v, %v", result, err)
	}
}

// TestGitea has calls as Gitea and Forgejo make them.
func TestGitea(t *testing.T) {
	const good, notAuthentic, badPayload = sourcetest.Authentic, sourcetest.NotAuthentic, sourcetest.BadPayload
	hex := strings.TrimPrefix(sha256s, "sha256=")
	for _, name := range []string{"X-Gitea-Signature", "X-Forgejo-Signature"} {
		cases := []sourcetest.Case{
			{Name: "alone", Header: with(headers(jsonType, "", ""), name, hex), Body: body, Want: good},
			{Name: "beside GitHub's", Header: with(headers(jsonType, sha256s, sha1s), name, hex), Body: body, Want: good},
			// Gitea signs the payload of the form, not the form, and says so in all of its headers.
			{Name: "form", Header: with(headers(formType, sha256s, sha1s), name, hex), Body: form, Payload: body, Want: good},
			{Name: "signature of the form", Header: with(headers(formType, "", ""), name, strings.TrimPrefix(formSHA256, "sha256=")),
				Body: form, Want: notAuthentic},
			{Name: "wrong beside right ones of GitHub's", Header: with(headers(jsonType, sha256s, sha1s), name, strings.Repeat("0", 64)),
				Body: body, Want: notAuthentic},
			{Name: "with a prefix", Header: with(headers(jsonType, "", ""), name, sha256s), Body: body, Want: notAuthentic},
			{Name: "upper case", Header: with(headers(jsonType, "", ""), name, strings.ToUpper(hex)), Body: body, Want: notAuthentic},
			{Name: "another body", Header: with(headers(jsonType, "", ""), name, hex), Body: body + " ", Want: notAuthentic},
			{Name: "wrong Content-Type", Header: with(headers("text/plain", "", ""), name, hex), Body: body, Want: badPayload},
			{Name: "empty token", Secret: sourcetest.Secret("token", ""), Header: with(headers(jsonType, "", ""), name, hex), Body: body,
				Want: notAuthentic},
		}
		for i := range cases {
			cases[i].Event, cases[i].DeliveryID = "push", delivery
		}
		t.Run(name, func(t *testing.T) { sourcetest.RunCases(t, github.Type(), cases) })
	}
	forgejoWrong := with(headers(jsonType, sha256s, ""), "X-Gitea-Signature", hex)
	sourcetest.RunCases(t, github.Type(), []sourcetest.Case{
		{Name: "wrong Forgejo's beside right ones", Header: with(forgejoWrong, "X-Forgejo-Signature", strings.Repeat("0", 64)),
			Body: body, Want: notAuthentic},
	})
}

func TestDeliveryID(t *testing.T) {
	const signed = "X-Hub-Signature-256"
	sourcetest.RunCases(t, github.Type(), []sourcetest.Case{
		{Name: "none", Header: sourcetest.Header(signed, sha256s, "Content-Type", jsonType), Body: body, Want: sourcetest.Authentic},
		{Name: "Gitea's", Header: sourcetest.Header(signed, sha256s, "Content-Type", jsonType, "X-Gitea-Delivery", "1"),
			Body: body, DeliveryID: "1", Want: sourcetest.Authentic},
		{Name: "Forgejo's", Header: sourcetest.Header(signed, sha256s, "Content-Type", jsonType, "X-Forgejo-Delivery", "2"),
			Body: body, DeliveryID: "2", Want: sourcetest.Authentic},
	})
}

// FuzzVerify checks that only the signed body verifies under a signature, in whatever header and whatever the body is said
// to be, and that a wrong signature is not made good by a right one in another header.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(body), sha256s, jsonType)
	f.Add([]byte(form), formSHA256, formType)
	f.Add([]byte(form), strings.TrimPrefix(sha256s, "sha256="), formType)
	f.Add([]byte(badForm), badFormSHA256, formType)
	f.Add([]byte("{}"), "sha256", `application/json; a="`)
	secret := sourcetest.Secret("token", sourcetest.Token)
	hex := strings.TrimPrefix(sha256s, "sha256=")
	f.Fuzz(func(t *testing.T, sent []byte, signature, contentType string) {
		verify := func(h http.Header) sourcetest.Outcome {
			_, err := sourcetest.Verify(github.Type(), h, string(sent), secret)
			return sourcetest.OutcomeOf(t, err)
		}
		if got := verify(headers(jsonType, sha256s, "")); (got == sourcetest.Authentic) != (string(sent) == body) {
			t.Fatalf("under the signature of %q: %v", body, got)
		}
		if got := verify(with(headers(jsonType, "", ""), "X-Gitea-Signature", hex)); (got == sourcetest.Authentic) != (string(sent) == body) {
			t.Fatalf("under Gitea's signature of %q: %v", body, got)
		}
		if signature == "" {
			return
		}
		alone := verify(with(headers(contentType, "", ""), "X-Gitea-Signature", signature))
		if beside := verify(with(headers(contentType, sha256s, sha1s), "X-Gitea-Signature", signature)); alone != beside {
			t.Fatalf("Gitea's signature alone: %v, beside GitHub's: %v", alone, beside)
		}
		alone = verify(headers(contentType, signature, ""))
		if beside := verify(headers(contentType, signature, sha1s)); alone != beside {
			t.Fatalf("the newer header alone: %v, beside the older: %v", alone, beside)
		}
	})
}
