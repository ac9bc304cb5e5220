package bitbucket_test

import (
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/bitbucket"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

const (
	// The vector of spec/receivers.md §5.6.
	body      = `{"eventKey":"repo:refs_changed","repository":{"slug":"shop"}}`
	signature = "sha256=24780b9f42f6614a0f1f48e7caf4f2754dcb67900f53cbd5451bfde6d932bbb9"

	// A form, and its signature from openssl dgst -sha256 -hmac.
	form          = "payload=%7B%22eventKey%22%3A%22repo%3Apush%22%7D"
	formSignature = "sha256=4c6731b7c6aa433966e0b275aca36fba55ade4d4b473b13a4a65b9b4c6e18b63"

	jsonType = "application/json; charset=utf-8"
	formType = "application/x-www-form-urlencoded"
)

func headers(contentType, signature256, signature string) http.Header {
	return sourcetest.Header("X-Event-Key", "repo:refs_changed", "Content-Type", contentType,
		"X-Hub-Signature-256", signature256, "X-Hub-Signature", signature)
}

func TestVerify(t *testing.T) {
	const good, notAuthentic, badPayload = sourcetest.Authentic, sourcetest.NotAuthentic, sourcetest.BadPayload
	cases := []sourcetest.Case{
		{Name: "sha256 in the old header", Header: headers(jsonType, "", signature), Body: body, Want: good},
		{Name: "new header", Header: headers(jsonType, signature, ""), Body: body, Want: good},
		{Name: "form", Header: headers(formType, "", formSignature), Body: form, Payload: `{"eventKey":"repo:push"}`, Want: good},
		{Name: "wrong new header beside a right old one", Header: headers(jsonType, "sha256=00", signature), Body: body,
			Want: notAuthentic},
		{Name: "wrong signature", Header: headers(jsonType, "", formSignature), Body: body, Want: notAuthentic},
		{Name: "test connection, which is not signed", Header: headers(jsonType, "", ""), Body: `{"test":true}`, Want: notAuthentic},
		{Name: "empty token", Secret: sourcetest.Secret("token", ""), Header: headers(jsonType, "", signature), Body: body,
			Want: notAuthentic},
		{Name: "wrong Content-Type", Header: headers("text/plain", "", signature), Body: body, Want: badPayload},
		{Name: "no Content-Type", Header: headers("", "", signature), Body: body, Want: badPayload},
	}
	for i := range cases {
		cases[i].Event = "repo:refs_changed"
	}
	sourcetest.RunCases(t, bitbucket.Type(), cases)
}

func TestDeliveryID(t *testing.T) {
	const signed = "X-Hub-Signature"
	sourcetest.RunCases(t, bitbucket.Type(), []sourcetest.Case{
		{Name: "Cloud", Header: sourcetest.Header(signed, signature, "Content-Type", jsonType, "X-Request-UUID", "1",
			"X-Request-Id", "of a proxy"), Body: body, DeliveryID: "1", Want: sourcetest.Authentic},
		{Name: "Data Center", Header: sourcetest.Header(signed, signature, "Content-Type", jsonType, "X-Request-Id", "2"),
			Body: body, DeliveryID: "2", Want: sourcetest.Authentic},
	})
}

// FuzzVerify checks that only the signed body verifies under a signature, and that a wrong signature in the newer header
// is not made good by a right one in the older.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(body), signature, jsonType)
	f.Add([]byte(form), formSignature, formType)
	f.Add([]byte("payload=%zz"), "sha1=", formType)
	secret := sourcetest.Secret("token", sourcetest.Token)
	f.Fuzz(func(t *testing.T, sent []byte, given, contentType string) {
		verify := func(h http.Header) sourcetest.Outcome {
			_, err := sourcetest.Verify(bitbucket.Type(), h, string(sent), secret)
			return sourcetest.OutcomeOf(t, err)
		}
		if got := verify(headers(jsonType, "", signature)); (got == sourcetest.Authentic) != (string(sent) == body) {
			t.Fatalf("under the signature of %q: %v", body, got)
		}
		alone := verify(headers(contentType, given, ""))
		if beside := verify(headers(contentType, given, signature)); given != "" && alone != beside {
			t.Fatalf("the newer header alone: %v, beside the older: %v", alone, beside)
		}
	})
}
