// Package genericoidc is the Receiver type "generic-oidc": the caller shows an OpenID Connect ID token of an issuer that
// the Receiver names, and what the token says has to keep the Receiver's rules.
//
// The token's signature, issuer, audience and times are checked as https://openid.net/specs/openid-connect-core-1_0.html
// (section 3.1.3.7) says.
package genericoidc

import (
	"context"
	"time"

	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/idtoken"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
)

// clockSkew is how far an issuer's clock may be ahead of ours.
const clockSkew = 5 * time.Minute

// Type is the row of the table for this type. The clock tells which tokens are out of date.
func Type(now func() time.Time) source.Type {
	claims := expr.NewReceiverCompiler().Claims()
	return source.Type{
		Name:           "generic-oidc",
		New:            func(c source.Config) (source.Verifier, error) { return newVerifier(c, claims, now) },
		ProofInHeaders: true,
		Title:          "Anything with an OpenID Connect ID token: GitHub Actions, GitLab CI, Kubernetes ServiceAccounts",
		Headers:        []string{idtoken.Header},
		Check:          "signature, issuer, audience and times of the token, then the validations of spec.oidcProviders; no Secret",
	}
}

// verifier is that of one Receiver.
type verifier struct {
	// rules are by issuer.
	rules map[string]*rules
	keys  *jwks.Cache
	now   func() time.Time
}

func newVerifier(c source.Config, claims *expr.Compiler, now func() time.Time) (source.Verifier, error) {
	v := &verifier{rules: map[string]*rules{}, keys: c.Keys, now: now}
	for i := range c.OIDCProviders {
		compiled, err := compile(claims, i, &c.OIDCProviders[i])
		if err != nil {
			return nil, err
		}
		v.rules[c.OIDCProviders[i].IssuerURL] = compiled
	}
	return v, nil
}

// Verify implements [source.Verifier].
func (v *verifier) Verify(ctx context.Context, r *source.Request, _ map[string][]byte) (source.Result, error) {
	token, err := idtoken.FromHeader(r.Header)
	if err != nil {
		return source.Result{}, err
	}
	// Whoever is not named by the Receiver is not asked for keys.
	issuer := token.Issuer()
	rules, ok := v.rules[issuer]
	if !ok {
		return source.Result{}, source.Unauthenticated("the token is of an issuer that spec.oidcProviders does not name")
	}
	now := v.now()
	claims, err := token.Verify(ctx, v.keys.Issuer(issuer), now)
	if err != nil {
		return source.Result{}, err
	}
	switch {
	case !idtoken.For(claims, rules.audience):
		return source.Result{}, source.Unauthenticated("the token is not for the audience %q", rules.audience)
	case !idtoken.NotBefore(claims, now, clockSkew):
		return source.Result{}, source.Unauthenticated("the token is not valid yet")
	}
	if err := rules.check(ctx, claims); err != nil {
		return source.Result{}, err
	}
	return source.Result{Payload: r.Body, Claims: claims}, nil
}
