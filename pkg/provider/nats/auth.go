package nats

import (
	"bytes"
	"strings"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nkeys"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Keys of the Secret that only this type reads.
const (
	keyCreds = "creds"
	keyNKey  = "nkey"
)

// authenticate sets how the server gets to know who connects: by the first of creds, nkey, username with password, and
// token that there is. What stands in the URL of a server takes precedence over the last two. It returns the parts of
// credentials that are secrets by themselves; the error names the key to change.
//
// Source: https://docs.nats.io/using-nats/developer/connecting/security
func authenticate(cfg provider.Config, options *nats.Options) (secrets []string, err error) {
	switch {
	case len(cfg.Secret[keyCreds]) > 0:
		return useCreds(cfg.Secret[keyCreds], options)
	case len(cfg.Secret[keyNKey]) > 0:
		return useNKey(bytes.TrimSpace(cfg.Secret[keyNKey]), options)
	case cfg.Username != "" && cfg.Password != "":
		options.User, options.Password = cfg.Username, cfg.Password
		return []string{cfg.Password}, nil
	default:
		options.Token = cfg.Token
		return []string{cfg.Token}, nil
	}
}

// useCreds reads a file as nsc writes it: the JWT of a user and its seed.
func useCreds(creds []byte, options *nats.Options) ([]string, error) {
	jwt, err := nkeys.ParseDecoratedJWT(creds)
	if err != nil || strings.Count(jwt, ".") != 2 {
		return nil, wrongKey(keyCreds, "has no user JWT: it has to be a file such as nsc generates with \"nsc generate creds\"")
	}
	pair, err := nkeys.ParseDecoratedUserNKey(creds)
	if err != nil {
		return nil, wrongKey(keyCreds, "has no user seed (SU…) after the JWT")
	}
	seed, err := pair.Seed()
	if err != nil {
		return nil, wrongKey(keyCreds, "has no user seed (SU…) after the JWT")
	}
	options.UserJWT = func() (string, error) { return jwt, nil }
	options.SignatureCB = pair.Sign
	return []string{jwt, string(seed)}, nil
}

// useNKey reads the seed of a user.
func useNKey(seed []byte, options *nats.Options) ([]string, error) {
	// The errors of the library say no more.
	wrong := wrongKey(keyNKey, "is not the seed of a user (SU…): error parsing nkey seed")
	pair, err := nkeys.FromSeed(seed)
	if err != nil {
		return nil, wrong
	}
	public, err := pair.PublicKey()
	if err != nil || !nkeys.IsValidPublicUserKey(public) {
		return nil, wrong
	}
	options.Nkey, options.SignatureCB = public, pair.Sign
	return []string{string(seed)}, nil
}

// wrongKey is the permanent error of a key with a problem.
func wrongKey(key, problem string) error {
	return provider.Permanentf(provider.ReasonSecret, "%s %s", provider.SecretKey(key), problem)
}
