// Package generichmac is the Receiver type "generic-hmac": the caller signs the body, whatever it is. The Provider
// type of the same name makes such calls.
package generichmac

import (
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/hmacsig"
)

const signatureHeader = "X-Signature"

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "generic-hmac",
		Verifier: source.VerifierFunc(verify),
		Title:    "Anything that can sign what it sends",
		Headers:  []string{signatureHeader},
		Check:    "HMAC of the body with the token: <algorithm>=<hex> with sha1, sha256 or sha512",
	}
}

func verify(r *source.Request, data map[string][]byte) (source.Result, error) {
	if err := hmacsig.Verify(r.Header.Get(signatureHeader), data[source.TokenKey], r.Body); err != nil {
		return source.Result{}, err
	}
	return source.Result{Payload: r.Body}, nil
}
