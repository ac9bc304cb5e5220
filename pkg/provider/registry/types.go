package registry

import (
	"cmp"
	"slices"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Types returns the table of all types of Provider, by name.
func Types() []provider.Type {
	return slices.SortedFunc(slices.Values(slices.Concat(webhooks(), chats(), incidents(), streams(), gitHosts())), func(a, b provider.Type) int {
		return cmp.Compare(a.Name, b.Name)
	})
}
