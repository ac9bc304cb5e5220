package source

import (
	"bytes"
	"encoding/json"
)

// PathOnly is the verifier of senders that can neither sign nor send a secret: the webhook path is the credential, and
// has been found by the time that a verifier is called. What is left is to check that the call is meant for this type:
// the body has to begin with a JSON value that decodes into P, as spec/receivers.md §5.8, §5.9 and §5.12 have it. Fields
// may be missing and others may be there; what follows the value is not looked at.
func PathOnly[P any]() Verifier {
	return VerifierFunc(func(r *Request, _ map[string][]byte) (Result, error) {
		var payload P
		// The error would quote the payload.
		if json.NewDecoder(bytes.NewReader(r.Body)).Decode(&payload) != nil {
			return Result{}, BadPayload("the body does not begin with the JSON that this type of Receiver expects")
		}
		return Result{Payload: r.Body}, nil
	})
}
