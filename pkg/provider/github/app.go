package github

import (
	"cmp"
	"context"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/git"
)

// Keys of the Secret that say which GitHub App to act as.
const (
	KeyAppID             = "githubAppID"
	KeyInstallationID    = "githubAppInstallationID"
	KeyInstallationOwner = "githubAppInstallationOwner"
	KeyPrivateKey        = "githubAppPrivateKey"
	KeyBaseURL           = "githubAppBaseURL"
)

// SecretKeys are the keys that all types here read.
func SecretKeys() []string {
	return []string{KeyBaseURL, KeyAppID, KeyInstallationID, KeyInstallationOwner, KeyPrivateKey, "password", "token", "username"}
}

const (
	// leeway is how much GitHub's clock may be behind.
	leeway = 30 * time.Second
	// lifetime of the token that an App shows GitHub, which takes up to ten minutes.
	//
	// Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/generating-a-json-web-token-jwt-for-a-github-app
	lifetime = 2 * time.Minute
)

// app is a GitHub App in one of its installations. Its tokens are kept by the Provider's Identity.
type app struct {
	id     string
	key    *rsa.PrivateKey
	client *git.Client
	// installation is the installation's ID, or else owner is whose it is.
	installation, owner string
	identity            provider.Identity
	// cacheKey is made of everything that the token depends on.
	cacheKey string
}

// isApp says whether there is no token but a GitHub App.
func isApp(cfg provider.Config) bool {
	_, noToken := git.Token(cfg)
	return noToken != nil && len(cfg.Secret[KeyAppID]) > 0
}

// useApp has the client act as the App of the Secret. The error names the key to change.
func (r *repository) useApp(cfg provider.Config) error {
	text := func(key string) string { return strings.TrimSpace(string(cfg.Secret[key])) }
	a := &app{
		id:           text(KeyAppID),
		installation: text(KeyInstallationID),
		owner:        text(KeyInstallationOwner),
		identity:     cfg.Identity,
	}
	var err error
	if a.key, err = parseKey(cfg.Secret[KeyPrivateKey]); err != nil {
		return err
	}
	switch {
	case !isNumber(a.id):
		return wrongKey(KeyAppID, "is not the number of a GitHub App")
	case a.installation == "" && a.owner == "":
		return wrongKey(KeyInstallationID, "or \""+KeyInstallationOwner+"\" is missing: app installation owner or ID must be provided")
	case a.installation != "" && a.owner != "":
		return wrongKey(KeyInstallationID, "and \""+KeyInstallationOwner+"\" are both there: only one of them may be")
	case a.installation != "" && !isNumber(a.installation):
		return wrongKey(KeyInstallationID, "is not the number of an installation")
	case a.identity == nil:
		return provider.Permanentf(provider.ReasonConfig, "a GitHub App cannot be used here")
	}
	base := cmp.Or(strings.TrimSuffix(text(KeyBaseURL), "/"), r.client.Base)
	if u, err := url.ParseRequestURI(base); err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" {
		return wrongKey(KeyBaseURL, "is not the URL of an API, such as https://HOST/api/v3")
	}
	a.cacheKey = strings.Join([]string{"github", base, a.id, a.installation, a.owner, string(cfg.Secret[KeyPrivateKey])}, "\x00")
	credential := fmt.Sprintf("keys %q, %q, %q and %q", KeyAppID, KeyInstallationID, KeyInstallationOwner, KeyPrivateKey) +
		" of the Secret in spec.secretRef"
	a.client = &git.Client{
		HTTP:       cfg.Client,
		Base:       base,
		Header:     r.client.Header,
		Authorize:  a.authorizeApp,
		Credential: credential,
		Missing:    "there is no such GitHub App or installation: change " + credential,
		Provider:   cfg.Provider,
	}
	r.app = a
	r.client.Authorize = a.authorizeInstallation
	r.client.Credential = a.client.Credential
	r.client.Refused = func(credential http.Header) {
		a.identity.Forget(a.cacheKey, strings.TrimPrefix(credential.Get("Authorization"), bearer))
	}
	return nil
}

func isNumber(s string) bool {
	n, err := strconv.ParseInt(s, 10, 64)
	return err == nil && n > 0
}

// wrongKey is the permanent error of a key with a problem.
func wrongKey(key, problem string) error {
	return provider.Permanentf(provider.ReasonSecret, "%s %s", provider.SecretKey(key), problem)
}

// parseKey reads an RSA key in PEM, in either of its two forms.
func parseKey(data []byte) (*rsa.PrivateKey, error) {
	if len(data) == 0 {
		return nil, provider.MissingKey(KeyPrivateKey)
	}
	if err := httpx.CheckPrivateKey(data); err != nil {
		return nil, wrongKey(KeyPrivateKey, "cannot be used: "+err.Error())
	}
	block, _ := pem.Decode(data)
	if block == nil {
		return nil, wrongKey(KeyPrivateKey, "is not a private key in PEM: could not parse private key")
	}
	if key, err := x509.ParsePKCS1PrivateKey(block.Bytes); err == nil {
		return key, nil
	}
	// The errors may quote the key.
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	key, ok := parsed.(*rsa.PrivateKey)
	if err != nil || !ok {
		return nil, wrongKey(KeyPrivateKey, "is not an RSA key: could not parse private key")
	}
	return key, nil
}

// authorizeApp returns the header that GitHub knows the App by.
func (a *app) authorizeApp(context.Context) (http.Header, error) {
	signer, err := jose.NewSigner(jose.SigningKey{Algorithm: jose.RS256, Key: a.key}, (&jose.SignerOptions{}).WithType("JWT"))
	if err != nil {
		return nil, provider.Permanentf(provider.ReasonSecret, "sign with %s: %w", provider.SecretKey(KeyPrivateKey), err)
	}
	issued := time.Now().Add(-leeway)
	claims := jwt.Claims{Issuer: a.id, IssuedAt: jwt.NewNumericDate(issued), Expiry: jwt.NewNumericDate(issued.Add(lifetime))}
	token, err := jwt.Signed(signer).Claims(claims).Serialize()
	if err != nil {
		return nil, provider.Permanentf(provider.ReasonSecret, "sign with %s: %w", provider.SecretKey(KeyPrivateKey), err)
	}
	return http.Header{"Authorization": {bearer + token}}, nil
}

// authorizeInstallation returns the header that GitHub knows the App's installation by.
func (a *app) authorizeInstallation(ctx context.Context) (http.Header, error) {
	token, err := a.identity.Cached(ctx, a.cacheKey, a.fetch)
	if err != nil {
		return nil, err
	}
	return git.Authenticate(a.client.Credential, "Authorization", bearer+token.Value)
}

// fetch gets an access token of the installation.
//
// Source: https://docs.github.com/en/rest/apps/apps#create-an-installation-access-token-for-an-app
func (a *app) fetch(ctx context.Context) (provider.Token, error) {
	installation := a.installation
	if installation == "" {
		var err error
		if installation, err = a.findInstallation(ctx); err != nil {
			return provider.Token{}, err
		}
	}
	var created struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	call := git.Call{Method: http.MethodPost, Path: "/app/installations/" + installation + "/access_tokens", Out: &created}
	if _, err := a.client.Do(ctx, call); err != nil {
		return provider.Token{}, fmt.Errorf("get a token of the GitHub App's installation: %w", err)
	}
	if created.Token == "" {
		return provider.Token{}, provider.Transientf(provider.ReasonAuth, "GitHub answered without a token for the GitHub App")
	}
	return provider.Token{Value: created.Token, Expires: created.Expires}, nil
}

// findInstallation asks for the installation of the owner, who is an organization or a user.
func (a *app) findInstallation(ctx context.Context) (string, error) {
	var found struct {
		ID int64 `json:"id"`
	}
	var err error
	for _, kind := range []string{"orgs", "users"} {
		call := git.Call{Method: http.MethodGet, Path: "/" + kind + "/" + git.Escape(a.owner) + "/installation", Out: &found}
		if _, err = a.client.Do(ctx, call); err == nil {
			return strconv.FormatInt(found.ID, 10), nil
		}
		if provider.Classify(err).Kind != provider.Permanent {
			break
		}
	}
	return "", fmt.Errorf("find the GitHub App's installation for the owner in key %q: %w", KeyInstallationOwner, err)
}

// bot is the account under which the App writes: its slug, marked.
func (a *app) bot(ctx context.Context) (string, error) {
	var said struct {
		Slug string `json:"slug"`
	}
	if _, err := a.client.Do(ctx, git.Call{Method: http.MethodGet, Path: "/app", Out: &said}); err != nil {
		return "", fmt.Errorf("get the GitHub App: %w", err)
	}
	return said.Slug + "[bot]", nil
}
