// Package github is the Receiver type "github": webhooks of GitHub, GitHub Enterprise Server, Gitea and Forgejo.
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
// https://docs.gitea.com/usage/webhooks
// https://forgejo.org/docs/latest/user/webhooks/
package github

import (
	"cmp"
	"crypto/sha256"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/hmacsig"
	"github.com/notification-controller/notification-controller/pkg/source/hubsig"
)

const (
	// forgejoHeader and giteaHeader hold an HMAC-SHA256 as bare hexadecimal digits.
	forgejoHeader = "X-Forgejo-Signature"
	giteaHeader   = "X-Gitea-Signature"

	eventHeader = "X-GitHub-Event"

	// deliveryHeader is GitHub's, which Gitea and Forgejo send beside their own. A redelivery has the same id.
	deliveryHeader        = "X-GitHub-Delivery"
	giteaDeliveryHeader   = "X-Gitea-Delivery"
	forgejoDeliveryHeader = "X-Forgejo-Delivery"
)

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:      "github",
		Verifier:  source.VerifierFunc(verify),
		HasEvents: true,
		Title:     "GitHub, GitHub Enterprise Server, Gitea, Forgejo",
		Headers: []string{forgejoHeader, giteaHeader, hubsig.Header, hubsig.OldHeader, eventHeader,
			deliveryHeader, giteaDeliveryHeader, forgejoDeliveryHeader},
		Check: "HMAC of the body with the token, as JSON or as a form; of the signatures the first one counts that is there, " +
			"in the order of the headers",
	}
}

func verify(r *source.Request, data map[string][]byte) (source.Result, error) {
	if err := authenticate(r, data[source.TokenKey]); err != nil {
		return source.Result{}, err
	}
	payload, err := hubsig.Payload(r)
	if err != nil {
		return source.Result{}, err
	}
	return source.Result{
		Event: r.Header.Get(eventHeader),
		DeliveryID: cmp.Or(r.Header.Get(deliveryHeader), r.Header.Get(giteaDeliveryHeader),
			r.Header.Get(forgejoDeliveryHeader)),
		Payload: payload,
	}, nil
}

// authenticate verifies the strongest signature that is there, and that one only: none that is wrong is made good by
// another. So it makes no difference to take away or to add a weaker one; and whoever takes away the strongest one still
// needs the token for the next.
func authenticate(r *source.Request, token []byte) error {
	if signature := cmp.Or(r.Header.Get(forgejoHeader), r.Header.Get(giteaHeader)); signature != "" {
		return hmacsig.VerifyHex(sha256.New, signature, token, signedByGitea(r))
	}
	return hubsig.Verify(r, token)
}

// signedByGitea is what Gitea and Forgejo sign: the JSON document, also where they send it in a form. GitHub signs the
// form, so that the signatures in GitHub's headers that these send too are of no use there.
func signedByGitea(r *source.Request) []byte {
	payload, err := hubsig.Payload(r)
	if err != nil {
		return r.Body // A wrong Content-Type is said only to a caller who is authentic.
	}
	return payload
}
