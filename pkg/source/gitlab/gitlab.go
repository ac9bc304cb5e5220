// Package gitlab is the Receiver type "gitlab": webhooks of GitLab with a secret token, or with a signing token, which
// makes a signature as Standard Webhooks has it.
// https://docs.gitlab.com/user/project/integrations/webhooks/
// https://gitlab.com/gitlab-org/gitlab/-/merge_requests/230944
package gitlab

import (
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/standardsig"
)

const (
	tokenHeader = "X-Gitlab-Token"
	eventHeader = "X-Gitlab-Event"
	// deliveryHeader is sent since GitLab 17.4 and stays the same when a delivery is repeated. X-Gitlab-Event-UUID is not
	// used: calls that one event sets off in turn share it, so that it would make one of what is several.
	deliveryHeader = "Idempotency-Key"
)

// Type is the row of the table for this type. The clock tells when a signed call has been recorded too long ago.
func Type(now func() time.Time) source.Type {
	return source.Type{
		Name: "gitlab",
		Verifier: source.VerifierFunc(func(r *source.Request, data map[string][]byte) (source.Result, error) {
			result, err := authenticate(r, data[source.TokenKey], now())
			if err == nil {
				result.Event = r.Header.Get(eventHeader)
			}
			return result, err
		}),
		HasEvents: true,
		Title:     "GitLab",
		Headers: []string{tokenHeader, eventHeader, deliveryHeader,
			standardsig.SignatureHeader, standardsig.IDHeader, standardsig.TimestampHeader},
		Check: "the secret token as it is; or, if the token is a signing token (`whsec_…`) and the call is signed, the " +
			"signature, as in `standard-webhooks`",
	}
}

// authenticate returns what the call says but for its event. Where the token is a signing token, a signature that is there decides alone:
// X-Gitlab-Token does not make good one that is wrong or too old. Where it is not, there is no key to look at a signature
// with, which GitLab sends too where both tokens are set; then X-Gitlab-Token decides. So it does where there is no
// signature: to take that away helps nobody who has not got the token itself, which GitLab never sends as a signing token.
func authenticate(r *source.Request, token []byte, now time.Time) (source.Result, error) {
	if r.Header.Get(standardsig.SignatureHeader) != "" && standardsig.IsKey(token) {
		return standardsig.Verify(r, token, now)
	}
	if !source.EqualSecret(r.Header.Get(tokenHeader), token) {
		return source.Result{}, source.Unauthenticated("%s is not the token", tokenHeader)
	}
	return source.Result{DeliveryID: r.Header.Get(deliveryHeader), Payload: r.Body}, nil
}
