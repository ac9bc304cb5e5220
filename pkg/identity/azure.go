package identity

import (
	"context"
	"net/http"
	"net/url"
	"os"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Annotations of a ServiceAccount that say as what it is known to Microsoft Entra.
//
// Source: https://azure.github.io/azure-workload-identity/docs/topics/service-account-labels-and-annotations.html
const (
	annotationAzureClient = "azure.workload.identity/client-id"
	annotationAzureTenant = "azure.workload.identity/tenant-id"
)

// Environment variables that say the same of the controller.
//
// Source: https://learn.microsoft.com/azure/developer/go/sdk/authentication/authentication-overview
const (
	envAzureAuthority   = "AZURE_AUTHORITY_HOST"
	envAzureTenant      = "AZURE_TENANT_ID"
	envAzureClient      = "AZURE_CLIENT_ID"
	envAzureSecret      = "AZURE_CLIENT_SECRET"
	envAzureCertificate = "AZURE_CLIENT_CERTIFICATE_PATH"
	envAzureTokenFile   = "AZURE_FEDERATED_TOKEN_FILE"
)

const (
	// azureAuthority is that of the public cloud.
	azureAuthority = "https://login.microsoftonline.com"
	// azureAudience is what Entra wants a ServiceAccount's token to be for.
	azureAudience = "api://AzureADTokenExchange"
	// assertionType says that a JWT stands for a client's secret (RFC 7523, section 2.2).
	assertionType = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
)

// fetchAzure gets a token of Microsoft Entra: for the Provider's ServiceAccount, or else for the controller by what
// its environment has: a secret or certificate, a workload identity, or the machine's managed identity.
func (i *identity) fetchAzure(ctx context.Context, scope string) (provider.Token, error) {
	env := i.broker.options.Getenv
	tenant, client := env(envAzureTenant), env(envAzureClient)
	switch {
	case i.account != "":
		return i.azureAccount(ctx, scope)
	case tenant != "" && client != "" && env(envAzureSecret) != "":
		return i.azureLogin(ctx, scope, tenant, client, url.Values{"client_secret": {env(envAzureSecret)}})
	case tenant != "" && client != "" && env(envAzureCertificate) != "":
		assertion, err := certificateAssertion(env(envAzureCertificate), i.azureTokenURL(tenant), client)
		if err != nil {
			return provider.Token{}, err
		}
		return i.azureLogin(ctx, scope, tenant, client, asserting(assertion))
	case tenant != "" && client != "" && env(envAzureTokenFile) != "":
		// It is rotated.
		assertion, err := os.ReadFile(env(envAzureTokenFile))
		if err != nil {
			return provider.Token{}, provider.Transientf(provider.ReasonConfig, "read $%s: %w", envAzureTokenFile, err)
		}
		return i.azureLogin(ctx, scope, tenant, client, asserting(strings.TrimSpace(string(assertion))))
	default:
		return i.azureMachine(ctx, scope, client)
	}
}

// azureAccount exchanges a token of the ServiceAccount.
func (i *identity) azureAccount(ctx context.Context, scope string) (provider.Token, error) {
	account, err := i.serviceAccount(ctx)
	if err != nil {
		return provider.Token{}, err
	}
	tenant, err := i.annotation(account, annotationAzureTenant)
	if err != nil {
		return provider.Token{}, err
	}
	client, err := i.annotation(account, annotationAzureClient)
	if err != nil {
		return provider.Token{}, err
	}
	assertion, err := i.accountToken(ctx, azureAudience)
	if err != nil {
		return provider.Token{}, err
	}
	return i.azureLogin(ctx, scope, tenant, client, asserting(assertion))
}

func asserting(assertion string) url.Values {
	return url.Values{"client_assertion_type": {assertionType}, "client_assertion": {assertion}}
}

// azureLogin gets a token by a client's credentials.
//
// Source: https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow
func (i *identity) azureLogin(ctx context.Context, scope, tenant, client string, credentials url.Values) (provider.Token, error) {
	values := url.Values{"grant_type": {"client_credentials"}, "client_id": {client}, "scope": {scope}}
	var secrets []string
	for name, value := range credentials {
		values[name] = value
		secrets = append(secrets, value...)
	}
	return i.exchange(ctx, "get a token of Microsoft Entra", form(i.azureTokenURL(tenant), values), secrets...)
}

func (i *identity) azureTokenURL(tenant string) string {
	authority := i.broker.options.Getenv(envAzureAuthority)
	if authority == "" {
		authority = azureAuthority
	}
	return joined(authority, "/"+url.PathEscape(tenant)+"/oauth2/v2.0/token")
}

// azureMachine gets a token of the machine's managed identity; client chooses among several.
//
// Source: https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token
func (i *identity) azureMachine(ctx context.Context, scope, client string) (provider.Token, error) {
	query := url.Values{"api-version": {"2018-02-01"}, "resource": {strings.TrimSuffix(scope, "/.default")}}
	if client != "" {
		query.Set("client_id", client)
	}
	address := joined(i.broker.options.Endpoints.AzureMetadata, "/metadata/identity/oauth2/token?"+query.Encode())
	token, err := i.exchange(ctx, "get a token of the managed identity", get(address, http.Header{"Metadata": {"true"}}))
	if err != nil {
		return token, prefixed("there is no token in the Provider's Secret, no spec.serviceAccountName, and no identity in the controller's environment ($"+
			envAzureClient+" …)", err)
	}
	return token, nil
}
