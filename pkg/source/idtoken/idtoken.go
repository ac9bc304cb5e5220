// Package idtoken reads and verifies the ID tokens (OpenID Connect Core 1.0, section 2) that callers show: signed JSON Web
// Tokens (RFC 7519) in the header Authorization.
package idtoken

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
)

// Header is where the token is.
const Header = "Authorization"

// scheme is that of RFC 6750, section 2.1.
const scheme = "Bearer "

// Token is what a caller shows. Nothing in it is true before it is verified.
type Token struct {
	signed *jose.JSONWebSignature
	claims map[string]any
}

// FromHeader reads the token without verifying it. Unsigned ones and those signed with a shared secret are refused.
func FromHeader(header http.Header) (*Token, error) {
	compact, ok := strings.CutPrefix(header.Get(Header), scheme)
	if !ok {
		return nil, source.Unauthenticated("the header %s is missing or does not begin with %q", Header, scheme)
	}
	signed, err := jose.ParseSignedCompact(strings.TrimSpace(compact), jwks.Algorithms())
	var algorithm *jose.ErrUnexpectedSignatureAlgorithm
	switch {
	case errors.As(err, &algorithm):
		return nil, source.Unauthenticated("the token is not signed with an algorithm that is accepted")
	case err != nil:
		return nil, source.Unauthenticated("the header %s has no signed token in it", Header)
	}
	token := &Token{signed: signed}
	if err := json.Unmarshal(signed.UnsafePayloadWithoutVerification(), &token.claims); err != nil {
		return nil, source.Unauthenticated("the claims of the token are not a JSON object")
	}
	return token, nil
}

// Issuer is who is said to have issued the token: good for nothing but to find the keys to verify it with.
func (t *Token) Issuer() string {
	issuer, _ := t.claims["iss"].(string)
	return issuer
}

// Algorithm is the one of the signature, one of [jwks.Algorithms].
func (t *Token) Algorithm() jose.SignatureAlgorithm {
	return jose.SignatureAlgorithm(t.signed.Signatures[0].Protected.Algorithm)
}

// Verify returns the claims if the token is signed with one of the keys and has not expired. Who issued it for whom is
// left to the caller. Numbers in the claims are float64.
func (t *Token) Verify(ctx context.Context, keys *jwks.Set, now time.Time) (map[string]any, error) {
	var unavailable *jwks.UnavailableError
	switch err := keys.Verify(ctx, t.signed); {
	case errors.As(err, &unavailable):
		return nil, source.Unavailable("%v", err)
	case err != nil:
		return nil, source.Unauthenticated("%v", err)
	}
	expiry, ok := t.claims["exp"].(float64)
	if !ok || seconds(now) > expiry {
		return nil, source.Unauthenticated("the token has expired, or does not say when it does")
	}
	return t.claims, nil
}

// For says whether the claims are for an audience, among others or alone.
func For(claims map[string]any, audience string) bool {
	several, ok := claims["aud"].([]any)
	if !ok {
		return claims["aud"] == audience
	}
	return slices.Contains(several, any(audience))
}

// NotBefore says whether the token is already valid, with some tolerance for clocks that go wrong. The claim is optional.
func NotBefore(claims map[string]any, now time.Time, tolerance time.Duration) bool {
	claim, there := claims["nbf"]
	if !there {
		return true
	}
	begin, ok := claim.(float64)
	return ok && begin <= seconds(now.Add(tolerance))
}

// seconds is a time as claims have it (RFC 7519, section 2: NumericDate).
func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }
