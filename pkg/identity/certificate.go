package identity

import (
	"crypto/rsa"
	"crypto/sha1"
	"crypto/tls"
	"encoding/base64"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	"github.com/google/uuid"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// assertionLifetime is how long an assertion counts; it is used at once.
const assertionLifetime = 10 * time.Minute

// certificateAssertion returns the JWT by which Microsoft Entra knows a client that has a certificate. The file holds
// certificate and RSA key in PEM.
//
// Source: https://learn.microsoft.com/entra/identity-platform/certificate-credentials
func certificateAssertion(file, audience, client string) (string, error) {
	pair, err := tls.LoadX509KeyPair(file, file)
	if err != nil {
		return "", provider.Permanentf(provider.ReasonConfig, "$%s: the file has to hold a certificate and its key in PEM: %w", envAzureCertificate, err)
	}
	key, ok := pair.PrivateKey.(*rsa.PrivateKey)
	if !ok {
		return "", provider.Permanentf(provider.ReasonConfig, "$%s: the key has to be an RSA key", envAzureCertificate)
	}
	thumbprint := sha1.Sum(pair.Certificate[0])
	options := (&jose.SignerOptions{}).WithType("JWT").
		WithHeader("x5t", base64.RawURLEncoding.EncodeToString(thumbprint[:])).
		WithHeader("x5c", []string{base64.StdEncoding.EncodeToString(pair.Certificate[0])})
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: key}, options)
	if err != nil {
		return "", provider.Permanentf(provider.ReasonConfig, "$%s: sign: %w", envAzureCertificate, err)
	}
	now := time.Now()
	assertion, err := jwt.Signed(signer).Claims(jwt.Claims{
		Issuer: client, Subject: client, Audience: jwt.Audience{audience}, ID: uuid.NewString(),
		NotBefore: jwt.NewNumericDate(now), Expiry: jwt.NewNumericDate(now.Add(assertionLifetime)),
	}).Serialize()
	if err != nil {
		return "", provider.Permanentf(provider.ReasonConfig, "$%s: sign: %w", envAzureCertificate, err)
	}
	return assertion, nil
}
