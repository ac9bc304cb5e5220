package identity

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"time"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/google"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Annotations of a ServiceAccount that say as what it is known to Google Cloud.
const (
	// annotationGoogleProvider names the workload identity provider outside of GKE:
	// projects/NUMBER/locations/global/workloadIdentityPools/POOL/providers/PROVIDER.
	annotationGoogleProvider = "gcp.auth.fluxcd.io/workload-identity-provider"
	// annotationGoogleAccount is the service account of IAM to act as; without it, the token is the workload's own.
	//
	// Source: https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity
	annotationGoogleAccount = "iam.gke.io/gcp-service-account"
)

// The scopes of all tokens.
const (
	scopeCloudPlatform = "https://www.googleapis.com/auth/cloud-platform"
	scopeEmail         = "https://www.googleapis.com/auth/userinfo.email"
)

// fetchGoogle gets a token of Google Cloud: for the Provider's ServiceAccount, or else for the controller by its
// Application Default Credentials.
func (i *identity) fetchGoogle(ctx context.Context) (provider.Token, error) {
	if i.account == "" {
		return i.googleDefault(ctx)
	}
	account, err := i.serviceAccount(ctx)
	if err != nil {
		return provider.Token{}, err
	}
	audiences, err := i.googleAudiences(ctx, account.Annotations[annotationGoogleProvider])
	if err != nil {
		return provider.Token{}, err
	}
	subject, err := i.accountToken(ctx, audiences.subject)
	if err != nil {
		return provider.Token{}, err
	}
	token, err := i.googleExchange(ctx, audiences.exchange, subject)
	if email := account.Annotations[annotationGoogleAccount]; err == nil && email != "" {
		return i.googleImpersonate(ctx, email, token)
	}
	return token, err
}

// googleDefault uses the Application Default Credentials.
//
// Source: https://cloud.google.com/docs/authentication/application-default-credentials
func (i *identity) googleDefault(ctx context.Context) (provider.Token, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	// The library asks for a token without a context. The metadata server it asks by a client of its own, which gives up
	// after 5 s.
	ctx = context.WithValue(ctx, oauth2.HTTPClient, httpx.WithContext(ctx, i.client))
	credentials, err := google.FindDefaultCredentials(ctx, scopeCloudPlatform, scopeEmail)
	if err != nil {
		return provider.Token{}, provider.Permanentf(provider.ReasonConfig,
			"there is no key \"token\" in the Provider's Secret, no spec.serviceAccountName, and the controller has no Application Default Credentials")
	}
	token, err := credentials.TokenSource.Token()
	if err != nil {
		return provider.Token{}, provider.Transientf(provider.ReasonAuth, "get a token of the Application Default Credentials: %w", err)
	}
	return provider.Token{Value: token.AccessToken, Expires: token.Expiry}, nil
}

// audiences are for whom the ServiceAccount's token is, and by what name the exchange knows its issuer.
type audiences struct{ subject, exchange string }

// googleAudiences returns those of the given workload identity provider, or else of the GKE cluster's own.
func (i *identity) googleAudiences(ctx context.Context, identityProvider string) (audiences, error) {
	if identityProvider != "" {
		audience := "//iam.googleapis.com/" + identityProvider
		return audiences{audience, audience}, nil
	}
	var found [3]string
	for at, path := range []string{"project/project-id", "instance/attributes/cluster-location", "instance/attributes/cluster-name"} {
		value, err := i.googleMetadata(ctx, path)
		if err != nil {
			return audiences{}, prefixed("ServiceAccount '"+i.provider.Namespace+"/"+i.account+"' has no annotation "+annotationGoogleProvider+
				", and the controller does not run on GKE", err)
		}
		found[at] = value
	}
	project, location, cluster := found[0], found[1], found[2]
	pool := project + ".svc.id.goog"
	issuer := "https://container.googleapis.com/v1/projects/" + project + "/locations/" + location + "/clusters/" + cluster
	return audiences{pool, "identitynamespace:" + pool + ":" + issuer}, nil
}

// googleMetadata reads a value of the machine.
//
// Source: https://cloud.google.com/compute/docs/metadata/querying-metadata
func (i *identity) googleMetadata(ctx context.Context, path string) (string, error) {
	ctx, cancel := context.WithTimeout(ctx, exchangeTimeout)
	defer cancel()
	address := joined(i.broker.options.Endpoints.GoogleMetadata, "/computeMetadata/v1/"+path)
	answer, err := httpx.Send(ctx, i.client, get(address, http.Header{"Metadata-Flavor": {"Google"}}))
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(answer.Body)), nil
}

// googleExchange exchanges a token of the ServiceAccount (RFC 8693).
//
// Source: https://cloud.google.com/iam/docs/reference/sts/rest/v1/TopLevel/token
func (i *identity) googleExchange(ctx context.Context, audience, subject string) (provider.Token, error) {
	return i.exchange(ctx, "exchange a token with Google Cloud", form(joined(i.broker.options.Endpoints.GoogleTokens, "/v1/token"), url.Values{
		"grant_type":           {"urn:ietf:params:oauth:grant-type:token-exchange"},
		"audience":             {audience},
		"scope":                {scopeCloudPlatform + " " + scopeEmail},
		"requested_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		"subject_token_type":   {"urn:ietf:params:oauth:token-type:jwt"},
		"subject_token":        {subject},
	}), subject)
}

// googleImpersonate gets a token of a service account of IAM.
//
// Source: https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
func (i *identity) googleImpersonate(ctx context.Context, email string, token provider.Token) (provider.Token, error) {
	body, err := json.Marshal(map[string]any{"scope": []string{scopeCloudPlatform, scopeEmail}})
	if err != nil {
		return provider.Token{}, provider.Permanentf(provider.ReasonInvalid, "encode request: %w", err)
	}
	var said struct {
		AccessToken string    `json:"accessToken"`
		ExpireTime  time.Time `json:"expireTime"`
	}
	err = i.call(ctx, "act as service account "+email+" of Google Cloud", httpx.Request{
		URL:    joined(i.broker.options.Endpoints.GoogleCredentials, "/v1/projects/-/serviceAccounts/"+url.PathEscape(email)+":generateAccessToken"),
		Header: http.Header{"Authorization": {"Bearer " + token.Value}},
		Body:   body,
	}, &said, token.Value)
	if err == nil && said.AccessToken == "" {
		err = provider.Transientf(provider.ReasonServerError, "Google Cloud answered without a token")
	}
	return provider.Token{Value: said.AccessToken, Expires: said.ExpireTime}, err
}
