package azureeventhub

import (
	"context"
	"net/url"
	"slices"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

const (
	// scope is that of access tokens for Event Hubs.
	//
	// Source: https://learn.microsoft.com/rest/api/eventhub/get-azure-active-directory-token
	scope = "https://eventhubs.azure.net//.default"
	// envAuthority is where Microsoft Entra is, which tells the clouds apart.
	envAuthority = "AZURE_AUTHORITY_HOST"
)

// Suffixes of namespaces in Azure's clouds.
//
// Source: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure
const (
	suffixPublic     = ".servicebus.windows.net"
	suffixChina      = ".servicebus.chinacloudapi.cn"
	suffixGovernment = ".servicebus.usgovcloudapi.net"
)

// named finds an event hub by its name and that of its namespace. authority is empty for the public cloud.
func named(cfg provider.Config, authority string) (hub, authorization, error) {
	at := hub{namespaceHost(cfg.Channel, authority), cfg.Address}
	if strings.ContainsAny(cfg.Address, "=;/ ") {
		return at, authorization{}, httpx.AddressError("is neither the name of an event hub nor a connection string with a SharedAccessKey")
	}
	if u, err := url.Parse(at.url()); err != nil || u.Host != at.host || u.Hostname() == "" || cfg.Channel == "" {
		return at, authorization{}, provider.Permanentf(provider.ReasonConfig, "spec.channel is not the namespace of an event hub, such as NAMESPACE or NAMESPACE%s", suffixPublic)
	}
	if strings.TrimSpace(cfg.Token) != "" {
		auth, err := staticToken(cfg.Token)
		return at, auth, err
	}
	if cfg.Identity == nil {
		return at, authorization{}, provider.MissingKey("token")
	}
	if !isAzure(at.host) {
		return at, authorization{}, provider.Permanentf(provider.ReasonConfig,
			"spec.channel: a token of an identity only goes to namespaces of Azure, such as NAMESPACE%s", suffixPublic)
	}
	return at, authorization{
		header: func(ctx context.Context) (string, error) {
			token, err := cfg.Identity.Azure(ctx, scope)
			return bearer(token), err
		},
		credential: "the identity of spec.serviceAccountName, or the controller's,",
		forget:     func() { cfg.Identity.ForgetAzure(scope) },
	}, nil
}

// namespaceHost completes the name of a namespace by the suffix of the cloud.
func namespaceHost(namespace, authority string) string {
	switch {
	case strings.Contains(namespace, ".servicebus."):
		return namespace
	case strings.Contains(authority, "chinacloudapi.cn"):
		return namespace + suffixChina
	case strings.Contains(authority, "microsoftonline.us"):
		return namespace + suffixGovernment
	default:
		return namespace + suffixPublic
	}
}

// isAzure says whether a host is one of Azure's. Anybody may write to a Provider what its name contains.
func isAzure(host string) bool {
	return slices.ContainsFunc([]string{suffixPublic, suffixChina, suffixGovernment}, func(suffix string) bool {
		return strings.HasSuffix(strings.ToLower(host), suffix)
	})
}
