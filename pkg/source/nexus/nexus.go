// Package nexus is the Receiver type "nexus": webhooks of Sonatype Nexus Repository with a secret key.
// https://help.sonatype.com/en/working-with-hmac-payloads.html
package nexus

import (
	"crypto/sha1" //nolint:gosec // As an HMAC it is not broken, and Nexus knows no other.
	"encoding/json"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/hmacsig"
)

const signatureHeader = "X-Nexus-Webhook-Signature"

// event is what has to be of the right type in the body.
type event struct {
	Action         string `json:"action"`
	RepositoryName string `json:"repositoryName"`
}

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "nexus",
		Verifier: source.VerifierFunc(verify),
		Title:    "Sonatype Nexus Repository",
		Headers:  []string{signatureHeader},
		Check:    "HMAC-SHA1 of the body with the token: 40 hexadecimal digits in lower case",
	}
}

func verify(r *source.Request, data map[string][]byte) (source.Result, error) {
	if err := hmacsig.VerifyHex(sha1.New, r.Header.Get(signatureHeader), data[source.TokenKey], r.Body); err != nil {
		return source.Result{}, err
	}
	// The error would quote the payload.
	if json.Unmarshal(r.Body, &event{}) != nil {
		return source.Result{}, source.BadPayload("the body is not the JSON document of a Nexus event")
	}
	return source.Result{Payload: r.Body}, nil
}
