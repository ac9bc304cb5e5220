// Package gcr is the Receiver type "gcr": pushes to Google's Container and Artifact Registry, which come by way of a
// Pub/Sub push subscription with authentication.
// https://cloud.google.com/pubsub/docs/authenticate-push-subscriptions
package gcr

import (
	"context"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/idtoken"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
)

const (
	// EmailKey is the key of the Secret for the subscription's service account.
	EmailKey = "email"
	// AudienceKey is the key of the Secret for the subscription's audience.
	AudienceKey = "audience"

	// Google's keys for its two algorithms.
	// https://developers.google.com/identity/openid-connect/openid-connect#discovery
	rs256Keys = "https://www.googleapis.com/oauth2/v3/certs"
	// https://cloud.google.com/iap/docs/signed-headers-howto#verifying_the_jwt_header
	es256Keys = "https://www.gstatic.com/iap/verify/public_key-jwk"
)

// Type is the row of the table for this type. The clock tells which tokens are out of date.
func Type(now func() time.Time) source.Type {
	return source.Type{
		Name: "gcr",
		New: func(c source.Config) (source.Verifier, error) {
			return &verifier{keys: c.Keys, now: now}, nil
		},
		Title:        "Google Container Registry and Artifact Registry by Pub/Sub push",
		Headers:      []string{idtoken.Header},
		Check:        "Google's ID token for the Secret's email and audience; filters see the action, digest and tag of the message",
		Keys:         []string{EmailKey, AudienceKey},
		RequiredKeys: []string{EmailKey, AudienceKey},
	}
}

type verifier struct {
	keys *jwks.Cache
	now  func() time.Time
}

// Verify implements [source.Verifier].
func (v *verifier) Verify(ctx context.Context, r *source.Request, secret map[string][]byte) (source.Result, error) {
	for _, key := range []string{EmailKey, AudienceKey} {
		if len(secret[key]) == 0 {
			return source.Result{}, source.Unavailable("the key %q of the Secret in spec.secretRef is missing or empty", key)
		}
	}
	token, err := idtoken.FromHeader(r.Header)
	if err != nil {
		return source.Result{}, err
	}
	keys, err := v.keysFor(token)
	if err != nil {
		return source.Result{}, err
	}
	claims, err := token.Verify(ctx, keys, v.now())
	if err != nil {
		return source.Result{}, err
	}
	if err := check(claims, secret); err != nil {
		return source.Result{}, err
	}
	return decode(r.Body)
}

// keysFor returns the keys for the token's algorithm.
func (v *verifier) keysFor(token *idtoken.Token) (*jwks.Set, error) {
	switch token.Algorithm() {
	case jose.RS256:
		return v.keys.At(rs256Keys, jose.RS256), nil
	case jose.ES256:
		return v.keys.At(es256Keys, jose.ES256), nil
	default:
		return nil, source.Unauthenticated("the token is not signed with an algorithm that Google uses")
	}
}

// check compares the claims of a token of Google's with what the Secret wants. Google gives such a token to everyone: it
// is the email that tells the subscription from others, and the audience what the token was meant for.
func check(claims map[string]any, secret map[string][]byte) error {
	text := func(claim string) string {
		value, _ := claims[claim].(string)
		return value
	}
	verified, _ := claims["email_verified"].(bool)
	switch issuer := text("iss"); {
	case issuer != "accounts.google.com" && issuer != "https://accounts.google.com":
		return source.Unauthenticated("the token is not of Google's accounts")
	case !source.EqualSecret(text("aud"), secret[AudienceKey]):
		return source.Unauthenticated("the token is not for the audience in the Secret, or for several")
	case !source.EqualSecret(text("email"), secret[EmailKey]) || !verified:
		return source.Unauthenticated("the token is not of the email in the Secret, or that is not verified")
	}
	return nil
}
