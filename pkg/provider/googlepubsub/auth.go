package googlepubsub

import (
	"context"
	"encoding/json"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// scope is that of access tokens.
const scope = "https://www.googleapis.com/auth/cloud-platform"

// serviceAccount is the type of JSON credentials that are a key.
const serviceAccount = "service_account"

// authorization is what gets access tokens.
type authorization struct {
	// token returns the access token.
	token func(context.Context) (string, error)
	// forget has the next token be a new one; nil if there is no other.
	forget func()
	// credential names what the token is made of, for errors.
	credential string
}

// authorize returns that of the Secret, or else that of the identity.
func authorize(cfg provider.Config) (authorization, error) {
	if cfg.Token != "" {
		source, err := keySource([]byte(cfg.Token))
		if err != nil {
			return authorization{}, err
		}
		return authorization{token: signing(source), credential: "the service account of " + provider.SecretKey("token")}, nil
	}
	if cfg.Identity == nil {
		return authorization{}, provider.MissingKey("token")
	}
	return authorization{
		token: cfg.Identity.Google, forget: cfg.Identity.ForgetGoogle,
		credential: "the identity of spec.serviceAccountName, or the controller's,",
	}, nil
}

// keySource makes tokens of the key of a service account: it signs them by itself, which takes no request. Other types of
// credentials would have the controller read its own files, or go where they say, for whoever wrote the Secret.
//
// Source: https://google.aip.dev/auth/4111
func keySource(credentials []byte) (oauth2.TokenSource, error) {
	var said struct {
		Type       string `json:"type"`
		PrivateKey string `json:"private_key"`
	}
	field := provider.SecretKey("token")
	if json.Unmarshal(credentials, &said) != nil {
		return nil, provider.Permanentf(provider.ReasonSecret, "%s is not JSON: it has to be the key of a service account", field)
	}
	if said.Type != serviceAccount {
		return nil, provider.Permanentf(provider.ReasonSecret,
			"%s has to be the key of a service account, of type %q; for workload identity take it away and set spec.serviceAccountName", field, serviceAccount)
	}
	if err := httpx.CheckPrivateKey([]byte(said.PrivateKey)); err != nil {
		return nil, provider.Permanentf(provider.ReasonSecret, "%s: field private_key cannot be used: %w", field, err)
	}
	source, err := google.JWTAccessTokenSourceWithScope(credentials, scope)
	if err != nil {
		return nil, provider.Permanentf(provider.ReasonSecret, "%s: field private_key is not an RSA key in PEM", field)
	}
	return source, nil
}

func signing(source oauth2.TokenSource) func(context.Context) (string, error) {
	return func(context.Context) (string, error) {
		token, err := source.Token()
		if err != nil {
			return "", provider.Permanentf(provider.ReasonSecret, "%s: the key does not sign: %w", provider.SecretKey("token"), err)
		}
		return token.AccessToken, nil
	}
}
