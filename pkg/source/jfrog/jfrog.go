// Package jfrog is the Receiver type "jfrog": webhooks of the JFrog Platform, such as of Artifactory. Its option "Use
// secret for payload signing" decides what the one header holds: with it, what `openssl sha256 -hmac` makes of the body
// and the secret token, in hexadecimal; without it, the secret token as it is.
// https://docs.jfrog.com/integrations/docs/predefined-webhooks
package jfrog

import (
	"crypto/sha256"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/hmacsig"
)

const authHeader = "X-JFrog-Event-Auth"

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "jfrog",
		Verifier: source.VerifierFunc(verify),
		Title:    "JFrog Platform (Artifactory)",
		Headers:  []string{authHeader},
		Check: "HMAC-SHA256 of the body with the token, 64 hexadecimal digits in lower case; or, without payload " +
			"signing, the token as it is",
	}
}

// verify takes either, since both prove that the caller has the token: to accept the token where the user has chosen to
// sign gives nothing to a stranger, who has seen signatures only.
func verify(r *source.Request, data map[string][]byte) (source.Result, error) {
	given, token := r.Header.Get(authHeader), data[source.TokenKey]
	if !source.EqualSecret(given, token) {
		if err := hmacsig.VerifyHex(sha256.New, given, token, r.Body); err != nil {
			return source.Result{}, err
		}
	}
	return source.Result{Payload: r.Body}, nil
}
