package registry

import (
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/generic"
	"github.com/notification-controller/notification-controller/pkg/provider/slack"
)

// Types returns the table of all types of Provider, by name.
func Types() []provider.Type {
	return []provider.Type{
		{
			Name:         "generic",
			Title:        "Generic webhook",
			New:          generic.New,
			Family:       provider.FamilyGeneric,
			NeedsAddress: true,
			SecretKeys:   []string{"headers"},
		},
		{
			Name:         "generic-hmac",
			Title:        "Generic webhook with a signature",
			New:          generic.NewHMAC,
			Family:       provider.FamilyGeneric,
			NeedsAddress: true,
			SecretKeys:   []string{"headers", "token"},
			RequiredKeys: []string{"token"},
		},
		{
			Name:         "slack",
			Title:        "Slack",
			New:          slack.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "token", "username"},
		},
	}
}
