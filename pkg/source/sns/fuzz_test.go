package sns_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/snstest"
)

func encode(t testing.TB, message map[string]string) []byte {
	t.Helper()
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// FuzzVerify checks that a signature is good for nothing but what is signed, whatever body it comes in.
func FuzzVerify(f *testing.F) {
	service := snstest.New(f, published())
	verifier := newVerifier(f, service, published)
	message, text := notification()
	real := service.Sign(f, message, text)
	f.Add(real, "Hello world!", "My First Message")
	f.Add([]byte(`{"Type":"SubscriptionConfirmation"}`), "Hello world!\nMessageId\n1", "")
	f.Add([]byte("{}"), "", "x")
	f.Fuzz(func(t *testing.T, body []byte, text, subject string) {
		forged, _ := notification()
		forged["Message"], forged["Subject"] = text, subject
		forged["SigningCertURL"], forged["Signature"] = message["SigningCertURL"], message["Signature"]
		for _, body := range [][]byte{body, encode(t, forged)} {
			result, err := verifier.Verify(t.Context(), &source.Request{Body: body}, ofTopic(topic))
			if err != nil {
				continue
			}
			if !strings.Contains(string(result.Payload), `"Message":"Hello world!"`) || !strings.Contains(string(result.Payload), `"Subject":"My First Message"`) {
				t.Fatalf("%q: got %s", body, result.Payload)
			}
		}
	})
}
