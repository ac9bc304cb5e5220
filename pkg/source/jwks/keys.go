package jwks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/go-jose/go-jose/v4"

	"github.com/notification-controller/notification-controller/pkg/httpx"
)

// maxDocument is the longest document that is read. Those of the largest issuers have some 50 KB.
const maxDocument = 256 << 10

// Algorithms returns the signature algorithms (RFC 7518, section 3.1, and RFC 8037) that can be accepted. All need a
// public key, so that nobody who knows it can sign.
func Algorithms() []jose.SignatureAlgorithm {
	return []jose.SignatureAlgorithm{
		jose.RS256, jose.RS384, jose.RS512,
		jose.ES256, jose.ES384, jose.ES512,
		jose.PS256, jose.PS384, jose.PS512,
		jose.EdDSA,
	}
}

// keys are the keys of an issuer, and what they may be used for.
type keys struct {
	keys       []jose.JSONWebKey
	algorithms []jose.SignatureAlgorithm
}

// verify says whether one of the keys has made the signature.
func (k *keys) verify(token *jose.JSONWebSignature) bool {
	if k == nil {
		return false
	}
	header := token.Signatures[0].Protected
	algorithm := jose.SignatureAlgorithm(header.Algorithm)
	if !slices.Contains(k.algorithms, algorithm) {
		return false
	}
	for _, key := range k.named(header.KeyID) {
		if key.Algorithm != "" && key.Algorithm != header.Algorithm {
			continue // RFC 7517, section 4.4.
		}
		if _, err := token.Verify(key.Key); err == nil {
			return true
		}
	}
	return false
}

// named returns the keys with an id. A token may leave it out where there is only one key (OpenID Connect Core, section
// 10.1).
func (k *keys) named(id string) []jose.JSONWebKey {
	if id == "" && len(k.keys) == 1 {
		return k.keys
	}
	if id == "" {
		return nil
	}
	return (&jose.JSONWebKeySet{Keys: k.keys}).Key(id)
}

// discover follows OpenID Connect Discovery 1.0, section 4.
func discover(ctx context.Context, client *http.Client, issuer string) (*keys, error) {
	address := strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration"
	document, err := httpx.Get(ctx, client, address, maxDocument)
	if err != nil {
		return nil, fmt.Errorf("discovery: %w", err)
	}
	var metadata struct {
		Issuer     string   `json:"issuer"`
		JWKSURI    string   `json:"jwks_uri"`
		Algorithms []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := json.Unmarshal(document, &metadata); err != nil {
		return nil, errors.New("discovery: the answer is not the JSON document that it should be")
	}
	if metadata.Issuer != issuer {
		return nil, errors.New("discovery: the answer is about another issuer")
	}
	found, err := fetchKeys(ctx, client, metadata.JWKSURI)
	return &keys{keys: found, algorithms: accepted(metadata.Algorithms)}, err
}

// accepted returns those of the issuer's algorithms that can be accepted. RS256 is what every issuer has to support.
func accepted(supported []string) []jose.SignatureAlgorithm {
	algorithms := slices.DeleteFunc(Algorithms(), func(a jose.SignatureAlgorithm) bool {
		return !slices.Contains(supported, string(a))
	})
	if len(algorithms) == 0 {
		return []jose.SignatureAlgorithm{jose.RS256}
	}
	return algorithms
}

// fetchKeys returns the keys of a set that can verify signatures. Those of kinds that are not known do not keep the
// others from being used (RFC 7517, section 5).
func fetchKeys(ctx context.Context, client *http.Client, address string) ([]jose.JSONWebKey, error) {
	document, err := httpx.Get(ctx, client, address, maxDocument)
	if err != nil {
		return nil, fmt.Errorf("key set: %w", err)
	}
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(document, &set); err != nil {
		return nil, errors.New("key set: the answer is not the JSON document that it should be")
	}
	var usable []jose.JSONWebKey
	for _, raw := range set.Keys {
		var key jose.JSONWebKey
		if err := key.UnmarshalJSON(raw); err == nil && key.IsPublic() && key.Use != "enc" {
			usable = append(usable, key)
		}
	}
	if len(usable) == 0 {
		return nil, errors.New("key set: there is no key in it that verifies signatures")
	}
	return usable, nil
}
