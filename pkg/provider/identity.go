package provider

import (
	"context"
	"time"
)

// Token is an access token.
type Token struct {
	// Value is the token itself.
	Value string
	// Expires is when it ends.
	Expires time.Time
	// Account is who the token acts as, where the service says so.
	Account string
}

// Identity gets access tokens of what the Provider is known as to a cloud or a Git host: the service account that its
// spec names, or the controller. Senders ask when they send; tokens are kept until shortly before they expire, and
// fetched once however many ask. Errors are like those of [Sender].
type Identity interface {
	// Azure returns an access token of Microsoft Entra for a scope, such as https://eventhubs.azure.net//.default.
	Azure(ctx context.Context, scope string) (string, error)
	// Google returns an access token of Google Cloud for the scope cloud-platform.
	Google(ctx context.Context) (string, error)
	// Cached returns the token kept under the key, which names all that the token depends on, or the one that fetch
	// gets. The key may hold secrets.
	Cached(ctx context.Context, key string, fetch func(context.Context) (Token, error)) (Token, error)
	// ForgetAzure and ForgetGoogle drop such a token, which the service has refused. One that is less than a minute old is
	// kept: another would not be any better, and each notification would ask for one.
	ForgetAzure(scope string)
	ForgetGoogle()
	// Forget drops the token kept under the key if it is the given one, which the service has refused.
	Forget(key, token string)
}

// WithToken sends with the token that get returns. If the service refuses it, which may have been revoked, forget is called
// and get asked for another one to send with; but not if forget is nil, or the token the same.
func WithToken(ctx context.Context, get func(context.Context) (string, error), forget func(), send func(token string) error) error {
	token, err := get(ctx)
	if err != nil {
		return err
	}
	err = send(token)
	if err == nil || forget == nil || Classify(err).Reason != ReasonAuth {
		return err
	}
	forget()
	fresh, failed := get(ctx)
	switch {
	case failed != nil:
		return failed
	case fresh == token:
		return err
	default:
		return send(fresh)
	}
}
