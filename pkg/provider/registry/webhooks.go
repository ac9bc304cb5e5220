package registry

import (
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/generic"
	"github.com/notification-controller/notification-controller/pkg/provider/github"
)

// webhooks are the types that send events to any service, and to workflows.
func webhooks() []provider.Type {
	return []provider.Type{
		{
			Name:         "generic",
			Title:        "Generic webhook",
			New:          generic.New,
			Family:       provider.FamilyGeneric,
			NeedsAddress: true,
			SecretKeys:   []string{"headers"},
			Sends:        "The event as JSON, with a header `Gotk-Component` that names its controller.",
			Address:      "an URL",
			Notes:        "The key `headers` holds headers as YAML; `Authorization` goes there too.",
		},
		{
			Name:         "generic-hmac",
			Title:        "Generic webhook with a signature",
			New:          generic.NewHMAC,
			Family:       provider.FamilyGeneric,
			NeedsAddress: true,
			SecretKeys:   []string{"headers", "token"},
			RequiredKeys: []string{"token"},
			Sends:        "What `generic` sends, with a header `X-Signature`: `sha256=` and the HMAC-SHA256 of the body in hexadecimal digits.",
			Address:      "an URL",
			Notes:        "The token is the key of the signature, byte for byte: a line break at its end counts.",
		},
		{
			Name:         "githubdispatch",
			Title:        "GitHub repository dispatch",
			New:          github.NewDispatch,
			NeedsAddress: true,
			SecretKeys:   github.SecretKeys(),
			Sends:        "A `repository_dispatch` event of the type KIND/NAME.NAMESPACE, whose payload is the event.",
			Address:      "that of a repository",
			Limits:       "The type is cut at 100 characters, the payload at 65,535.",
			Notes:        "See [Git hosts](#git-hosts).",
		},
	}
}
