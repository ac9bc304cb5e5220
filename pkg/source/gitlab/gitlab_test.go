package gitlab_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source/gitlab"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

const (
	// The sample of spec/receivers.md §5.5.
	body  = `{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"acme/shop"}}`
	event = "Push Hook"

	// The vector of the reference implementations of Standard Webhooks, whose form GitLab's signing tokens have:
	// https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_test.go
	signingToken = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	signedBody   = `{"test": 2432232314}`
	id           = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	timestamp    = "1614265330"
	signature    = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	otherID      = "f5e5f430-f57b-4e6e-9fac-d9128cd7232f"
)

// at returns a clock that stands so long after the timestamp.
func at(after time.Duration) func() time.Time {
	return func() time.Time { return time.Unix(1614265330, 0).Add(after) }
}

func headers(token, signature string) http.Header {
	return sourcetest.Header("Content-Type", "application/json", "X-Gitlab-Event", event, "X-Gitlab-Token", token,
		"Webhook-Signature", signature, "Webhook-Id", id, "Webhook-Timestamp", timestamp)
}

func TestSecretToken(t *testing.T) {
	const good, notAuthentic = sourcetest.Authentic, sourcetest.NotAuthentic
	header := func(pairs ...string) http.Header {
		return sourcetest.Header(append(pairs, "X-Gitlab-Event", event)...)
	}
	cases := []sourcetest.Case{
		{Name: "right", Header: header("X-Gitlab-Token", sourcetest.Token), Body: body, Want: good},
		{Name: "any body", Header: header("X-Gitlab-Token", sourcetest.Token), Body: "not JSON", Want: good},
		// GitLab sends both where both are set. There is no key to look at the signature with.
		{Name: "beside a signature", Header: headers(sourcetest.Token, signature), Body: body, Want: good},
		{Name: "with an id", Header: header("X-Gitlab-Token", sourcetest.Token, "Idempotency-Key", otherID), Body: body,
			DeliveryID: otherID, Want: good},
		{Name: "with what is no id", Header: header("X-Gitlab-Token", sourcetest.Token, "X-Gitlab-Event-UUID", otherID,
			"X-Gitlab-Webhook-UUID", otherID), Body: body, Want: good},
		{Name: "missing", Header: header(), Body: body, Want: notAuthentic},
		{Name: "cut", Header: header("X-Gitlab-Token", sourcetest.Token[1:]), Body: body, Want: notAuthentic},
		{Name: "longer", Header: header("X-Gitlab-Token", sourcetest.Token+" "), Body: body, Want: notAuthentic},
		{Name: "signature without it", Header: headers("", signature), Body: signedBody, Want: notAuthentic},
		{Name: "empty", Secret: sourcetest.Secret("token", ""), Header: header(), Body: body, Want: notAuthentic},
		{Name: "of another key", Secret: sourcetest.Secret("token", "other", "old", sourcetest.Token),
			Header: header("X-Gitlab-Token", sourcetest.Token), Body: body, Want: notAuthentic},
	}
	for i := range cases {
		cases[i].Event = event
	}
	sourcetest.RunCases(t, gitlab.Type(at(0)), cases)
}

func TestSigningToken(t *testing.T) {
	const good, notAuthentic = sourcetest.Authentic, sourcetest.NotAuthentic
	for _, test := range []struct {
		name   string
		after  time.Duration
		header http.Header
		body   string
		want   sourcetest.Outcome
		id     string
	}{
		{"signed", 0, headers("", signature), signedBody, good, id},
		{"signed, beside another secret token", 0, headers("other", signature), signedBody, good, id},
		{"signed long ago", 6 * time.Minute, headers("", signature), signedBody, notAuthentic, ""},
		{"wrong signature", 0, headers("", "v1,AAAA"), signedBody, notAuthentic, ""},
		{"another body", 0, headers("", signature), body, notAuthentic, ""},
		{"not signed", 0, headers("", ""), signedBody, notAuthentic, ""},
		// Whoever knows the token may use it as a secret token too, but not to make a signature good.
		{"as secret token", 0, headers(signingToken, ""), signedBody, good, ""},
		{"as secret token beside a wrong signature", 0, headers(signingToken, "v1,AAAA"), signedBody, notAuthentic, ""},
		{"as secret token beside an old signature", 6 * time.Minute, headers(signingToken, signature), signedBody, notAuthentic, ""},
	} {
		sourcetest.RunCases(t, gitlab.Type(at(test.after)), []sourcetest.Case{{
			Name: test.name, Secret: sourcetest.Secret("token", signingToken),
			Header: test.header, Body: test.body, Want: test.want, Event: event, DeliveryID: test.id,
		}})
	}
}

// FuzzVerify checks that a call is authentic only with the very token, or only signed where the token is a signing token
// and there is a signature.
func FuzzVerify(f *testing.F) {
	f.Add(sourcetest.Token, sourcetest.Token, "", []byte(body))
	f.Add("", "", "", []byte(body))
	f.Add(signingToken, "", signature, []byte(signedBody))
	f.Add(signingToken, signingToken, "v1,", []byte(signedBody))
	f.Add(signingToken+"=", signingToken, "v1,x v2,y", []byte(""))
	row := gitlab.Type(at(0))
	f.Fuzz(func(t *testing.T, token, given, signatures string, sent []byte) {
		_, err := sourcetest.Verify(row, headers(given, signatures), string(sent), sourcetest.Secret("token", token))
		authentic := sourcetest.OutcomeOf(t, err) == sourcetest.Authentic
		if authentic && given != token && signatures == "" {
			t.Fatal("neither signed nor with the token")
		}
		if !authentic && signatures == "" && given == token && token != "" {
			t.Fatal("refused with the right token")
		}
		_, err = sourcetest.Verify(row, headers(given, signature), string(sent), sourcetest.Secret("token", signingToken))
		if (err == nil) != (string(sent) == signedBody) {
			t.Fatalf("under the signature of %q and the token %q: %v", signedBody, given, err)
		}
	})
}
