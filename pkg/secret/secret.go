// Package secret keeps the data of the Secrets that Providers and Receivers refer to, and of no others, so that
// nobody has to ask the API server when an event or a webhook comes.
package secret

import (
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation"
)

// Keys of Secrets that are not of one type of Provider or Receiver only.
const (
	KeyAddress = "address"
	KeyToken   = "token"
	// KeyPreviousToken holds the token of a Receiver that is being replaced.
	KeyPreviousToken = "previousToken"
	KeyUsername      = "username"
	KeyPassword      = "password"
	KeyHeaders       = "headers"
	KeyProxy         = "proxy"

	KeyCA   = "ca.crt"
	KeyCert = "tls.crt"
	KeyKey  = "tls.key"

	// Names of the TLS keys in older manifests.
	KeyLegacyCA   = "caFile"
	KeyLegacyCert = "certFile"
	KeyLegacyKey  = "keyFile"
)

// Secret is the data of a Secret at one resourceVersion. It is shared: do not change it.
type Secret struct {
	ResourceVersion string
	Data            map[string][]byte
}

var (
	// ErrNotFound says that there is no such Secret.
	ErrNotFound = errors.New("not found")
	// ErrNotLoaded says that the Secret has not been read yet, or could never be read: trying again can help.
	ErrNotLoaded = errors.New("not read yet")
	// ErrNotTried is the [ErrNotLoaded] of a Secret that something has only just begun to refer to, which says nothing of
	// the Secret. Subscribers are told when it has been tried.
	ErrNotTried = fmt.Errorf("%w", ErrNotLoaded)
)

// CanExist says whether a Secret can have the name. The schema takes any text for a reference, but the API server cannot even
// be asked for most of them, and each attempt would be an error that is tried again.
func CanExist(name string) bool {
	// The length first: a name may have 1 MiB, all of which the expression would look at.
	return len(name) <= validation.DNS1123SubdomainMaxLength && len(validation.IsDNS1123Subdomain(name)) == 0
}

// Getter gives the data of a Secret that an object refers to.
type Getter interface {
	// Get returns the last value known. The error wraps [ErrNotFound] or [ErrNotLoaded] and names the Secret.
	Get(namespace, name string) (*Secret, error)
}

// MissingKeyError says that a Secret lacks a key, or that the key is empty.
type MissingKeyError struct{ Namespace, Name, Key string }

func (e *MissingKeyError) Error() string {
	return fmt.Sprintf("Secret '%s/%s' lacks the required field '%s', or it is empty", e.Namespace, e.Name, e.Key)
}
