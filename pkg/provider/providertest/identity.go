package providertest

import (
	"context"
	"fmt"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// RenewingIdentity has token-0, and another token each time that the one before is forgotten: token-1, token-2, …
type RenewingIdentity struct {
	provider.Identity
	forgotten int
}

// Azure implements [provider.Identity].
func (r *RenewingIdentity) Azure(context.Context, string) (string, error) { return r.token(), nil }

// ForgetAzure implements [provider.Identity].
func (r *RenewingIdentity) ForgetAzure(string) { r.forgotten++ }

// Google implements [provider.Identity].
func (r *RenewingIdentity) Google(context.Context) (string, error) { return r.token(), nil }

// ForgetGoogle implements [provider.Identity].
func (r *RenewingIdentity) ForgetGoogle() { r.forgotten++ }

func (r *RenewingIdentity) token() string { return fmt.Sprint("token-", r.forgotten) }
