// Package generic is the Receiver type "generic": whoever knows the webhook path may call it.
package generic

import "github.com/notification-controller/notification-controller/pkg/source"

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "generic",
		Verifier: source.VerifierFunc(verify),
		Title:    "Anything that can make an HTTP request",
		Check:    "nothing but the webhook path, which is the credential",
	}
}

// verify has nothing to check: the caller knew the path.
func verify(r *source.Request, _ map[string][]byte) (source.Result, error) {
	return source.Result{Payload: r.Body}, nil
}
