// Package standardwebhooks is the Receiver type "standard-webhooks": any sender that signs as the Standard Webhooks
// specification has it. GitLab does so too, in a type of its own.
// https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
package standardwebhooks

import (
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/standardsig"
)

// Type is the row of the table for this type. The clock tells when a call has been recorded too long ago.
func Type(now func() time.Time) source.Type {
	return source.Type{
		Name: "standard-webhooks",
		Verifier: source.VerifierFunc(func(r *source.Request, data map[string][]byte) (source.Result, error) {
			return standardsig.Verify(r, data[source.TokenKey], now())
		}),
		CheckSecret: standardsig.CheckSecret,
		Title:       "Anything that signs as Standard Webhooks has it",
		Headers:     []string{standardsig.SignatureHeader, standardsig.IDHeader, standardsig.TimestampHeader},
		Check: "HMAC-SHA256 of id, time and body with the token, which is `whsec_` and the key in base64; the time is of the " +
			"last or next 5 minutes",
	}
}
