package identity

import (
	"context"

	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// minTokenSeconds is the shortest lifetime that the API server gives a token; ours is used at once.
const minTokenSeconds = 600

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
