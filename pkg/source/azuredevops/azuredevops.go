// Package azuredevops is the Receiver type "azuredevops": service hooks of Azure DevOps of the kind "Web Hooks", which
// cannot sign, but have a user name and a password for Basic authentication (RFC 7617).
// https://learn.microsoft.com/en-us/azure/devops/service-hooks/services/webhooks
package azuredevops

import (
	"net/http"

	"github.com/notification-controller/notification-controller/pkg/source"
)

const (
	authHeader = "Authorization"
	// usernameKey is the key of the Secret with the user name. Where there is none, any is good: it is the token that is
	// secret, and the form in Azure DevOps can be left without a name.
	usernameKey = "username"
)

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:     "azuredevops",
		Verifier: source.VerifierFunc(verify),
		Title:    "Azure DevOps service hooks",
		Headers:  []string{authHeader},
		Check:    "Basic authentication: the password is the token, and the user name is `username`, if the Secret has it",
		Keys:     []string{usernameKey},
	}
}

func verify(r *source.Request, data map[string][]byte) (source.Result, error) {
	username, password, ok := (&http.Request{Header: r.Header}).BasicAuth()
	if !ok {
		return source.Result{}, source.Unauthenticated("there is no Basic authentication")
	}
	// Both are compared in any case, so that the time does not tell which one is wrong.
	goodPassword := source.EqualSecret(password, data[source.TokenKey])
	goodUsername := source.EqualSecret(username, data[usernameKey])
	if !goodPassword || (len(data[usernameKey]) > 0 && !goodUsername) {
		return source.Result{}, source.Unauthenticated("the user name or the password is wrong")
	}
	return source.Result{Payload: r.Body}, nil
}
