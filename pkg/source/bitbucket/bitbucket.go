// Package bitbucket is the Receiver type "bitbucket": webhooks of Bitbucket Data Center, Server and Cloud with a secret,
// which are signed as GitHub's are. The "test connection" of Data Center is not signed, and so is not authentic.
// https://confluence.atlassian.com/bitbucketserver/event-payload-938025882.html
// https://support.atlassian.com/bitbucket-cloud/docs/event-payloads/
package bitbucket

import (
	"cmp"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/hubsig"
)

const (
	eventHeader = "X-Event-Key"
	// cloudDeliveryHeader is that of Bitbucket Cloud, deliveryHeader that of the others.
	cloudDeliveryHeader = "X-Request-UUID"
	deliveryHeader      = "X-Request-Id"
)

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:      "bitbucket",
		Verifier:  source.VerifierFunc(verify),
		HasEvents: true,
		Title:     "Bitbucket Data Center, Server and Cloud",
		Headers:   []string{hubsig.Header, hubsig.OldHeader, eventHeader, cloudDeliveryHeader, deliveryHeader},
		Check:     "HMAC of the body with the token, as JSON or as a form; of the signatures the first one counts that is there",
	}
}

func verify(r *source.Request, data map[string][]byte) (source.Result, error) {
	if err := hubsig.Verify(r, data[source.TokenKey]); err != nil {
		return source.Result{}, err
	}
	payload, err := hubsig.Payload(r)
	if err != nil {
		return source.Result{}, err
	}
	return source.Result{
		Event:      r.Header.Get(eventHeader),
		DeliveryID: cmp.Or(r.Header.Get(cloudDeliveryHeader), r.Header.Get(deliveryHeader)),
		Payload:    payload,
	}, nil
}
