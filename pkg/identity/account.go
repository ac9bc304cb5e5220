package identity

import (
	"context"
	"time"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// minTokenSeconds is the shortest lifetime that the API server gives a token; ours is used at once.
const minTokenSeconds = 600

const (
	// accountAge is how long an edit or the deletion of a ServiceAccount may take to be seen: it is read, not watched, which
	// takes no right to see those of others.
	accountAge = time.Minute
	// accountTimeout is how long that may take. After it, what was read before holds for as long again.
	accountTimeout = 2 * time.Second
)

// accountRead is what was last read of a ServiceAccount.
type accountRead struct {
	// revision tells what it was before each edit from what it was after.
	revision string
	at       time.Time
}

// lastRead returns what was last read of the Provider's ServiceAccount.
func (i *identity) lastRead() (accountRead, bool) {
	if i.broker.accounts == nil {
		return accountRead{}, false
	}
	found, ok := i.broker.accounts.Get(i.accountKey())
	last, _ := found.(accountRead)
	return last, ok
}

func (i *identity) accountKey() string { return i.provider.Namespace + "/" + i.account }

// revision returns that of the Provider's ServiceAccount, at most accountAge old; empty if it names none, or if no tokens
// are kept. While the API server is away, it is the one that is known.
func (i *identity) revision(ctx context.Context) (string, error) {
	if i.account == "" || i.broker.accounts == nil {
		return "", nil
	}
	last, known := i.lastRead()
	if known && time.Since(last.at) < accountAge {
		return last.revision, nil
	}
	if known {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, accountTimeout)
		defer cancel()
	}
	account, err := i.serviceAccount(ctx)
	switch {
	case err == nil:
		last.revision = string(account.UID) + "/" + account.ResourceVersion
	case !known || provider.Classify(err).Kind == provider.Permanent:
		// What was known does not come back when the API server goes away.
		i.broker.accounts.Remove(i.accountKey())
		return "", err
	}
	last.at = time.Now()
	i.broker.accounts.Add(i.accountKey(), last)
	return last.revision, nil
}

// serviceAccount reads the Provider's ServiceAccount.
func (i *identity) serviceAccount(ctx context.Context) (*corev1.ServiceAccount, error) {
	account, err := i.broker.options.Accounts.ServiceAccounts(i.provider.Namespace).Get(ctx, i.account, metav1.GetOptions{})
	return account, i.accountError("read", err)
}

// accountToken makes a token of the ServiceAccount for an audience.
func (i *identity) accountToken(ctx context.Context, audience string) (string, error) {
	seconds := int64(minTokenSeconds)
	request := &authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{
		Audiences: []string{audience}, ExpirationSeconds: &seconds,
	}}
	created, err := i.broker.options.Accounts.ServiceAccounts(i.provider.Namespace).CreateToken(ctx, i.account, request, metav1.CreateOptions{})
	if err != nil {
		return "", i.accountError("make a token of", err)
	}
	return created.Status.Token, nil
}

// accountError says what to do about an error of the API server.
func (i *identity) accountError(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case apierrors.IsNotFound(err):
		return provider.Permanentf(provider.ReasonConfig, "there is no ServiceAccount '%s/%s': create it, or change spec.serviceAccountName of Provider '%s'",
			i.provider.Namespace, i.account, i.provider)
	case apierrors.IsForbidden(err):
		return provider.Permanentf(provider.ReasonConfig,
			"the controller may not %s ServiceAccounts: give it the ClusterRole of manifests/workload-identity: %w", what, err)
	default:
		return provider.Transientf(provider.ReasonConnection, "%s ServiceAccount '%s/%s': %w", what, i.provider.Namespace, i.account, err)
	}
}

// annotation returns a required annotation of the ServiceAccount.
func (i *identity) annotation(account *corev1.ServiceAccount, name string) (string, error) {
	value := account.Annotations[name]
	if value == "" {
		return "", provider.Permanentf(provider.ReasonConfig, "ServiceAccount '%s/%s' has no annotation %s", i.provider.Namespace, i.account, name)
	}
	return value, nil
}
