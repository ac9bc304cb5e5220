// Package harbor is the Receiver type "harbor": webhooks of a Harbor project. What is entered there as "Auth Header" is
// sent as the whole value of the header Authorization, without a scheme.
// https://goharbor.io/docs/latest/working-with-projects/project-configuration/configure-webhooks/
package harbor

import "github.com/notification-controller/notification-controller/pkg/source"

const authHeader = "Authorization"

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "harbor",
		Verifier: source.VerifierFunc(verify),
		Title:    "Harbor",
		Headers:  []string{authHeader},
		Check:    "the header, which is the token as it is, without a scheme",
	}
}

func verify(r *source.Request, data map[string][]byte) (source.Result, error) {
	if !source.EqualSecret(r.Header.Get(authHeader), data[source.TokenKey]) {
		return source.Result{}, source.Unauthenticated("%s is not the token", authHeader)
	}
	return source.Result{Payload: r.Body}, nil
}
