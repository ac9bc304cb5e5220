// Package git holds what the types share that write to Git hosts: addresses of repositories, revisions, the state of
// a commit and the comment on a change request, and the client of a host's API. A host's own forms are in its folder.
package git

import (
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Repository is what the address of a Provider names.
type Repository struct {
	// Base is the host's URL, without a path.
	Base *url.URL
	// Path has the elements of the repository's path, unescaped: owner and name, or more.
	Path []string
}

// scp is the short form of SSH addresses: user@host:path. The user may be missing.
var scp = regexp.MustCompile(`^(?:[^@:/\s]+@)?([^@:/\s]+):([^\s]+)$`)

// schemes are those of addresses, with that of the host's API.
var schemes = map[string]string{"http": "http", "https": "https", "ssh": "https", "git+ssh": "https", "git": "https"}

// ports are those of schemes that say nothing which the scheme does not. No HTTPS is there.
var ports = map[string]string{"ssh": "22", "git+ssh": "22", "git": "9418"}

// ParseAddress reads the address of a repository as it is given to git clone: a URL, or user@host:path. SSH and
// Git's own protocol become HTTPS; a port is kept; user, query, fragment and a final ".git" are left out. The error is permanent and does not
// quote the address, which may hold a password.
func ParseAddress(address string) (Repository, error) {
	u, err := parse(address)
	if err != nil {
		return Repository{}, err
	}
	path := strings.TrimSuffix(strings.Trim(u.Path, "/"), ".git")
	elements := strings.Split(path, "/")
	// Such elements would make another path of the API's.
	if slices.ContainsFunc(elements, func(e string) bool { return e == "" || e == "." || e == ".." }) {
		return Repository{}, httpx.AddressError("does not name a repository")
	}
	return Repository{Base: &url.URL{Scheme: u.Scheme, Host: u.Host}, Path: elements}, nil
}

func parse(address string) (*url.URL, error) {
	scheme, _, isURL := strings.Cut(address, "://")
	if !isURL {
		match := scp.FindStringSubmatch(address)
		if match == nil {
			return nil, httpx.AddressError("is not that of a Git repository, such as https://HOST/OWNER/NAME or git@HOST:OWNER/NAME")
		}
		return &url.URL{Scheme: "https", Host: match[1], Path: match[2]}, nil
	}
	scheme = strings.ToLower(scheme)
	api, known := schemes[scheme]
	u, err := url.Parse(address)
	switch {
	case !known:
		return nil, httpx.AddressError("has to start with https://, http:// or ssh://, or be like git@HOST:OWNER/NAME")
	case err != nil || u.Host == "":
		return nil, httpx.AddressError("is not a URL with a host")
	}
	if port := ports[scheme]; port != "" && u.Port() == port {
		u.Host = strings.TrimSuffix(u.Host, ":"+port)
	}
	u.Scheme = api
	return u, nil
}

// OwnerAndName returns the path's two elements, for hosts without groups of groups. The error is permanent.
func (r Repository) OwnerAndName() (owner, name string, err error) {
	if len(r.Path) != 2 {
		return "", "", InvalidRepository(r.Path, "OWNER/NAME")
	}
	return r.Path[0], r.Path[1], nil
}

// InvalidRepository is the permanent error of an address whose path is not of the form that the host has.
func InvalidRepository(path []string, want string) error {
	return httpx.AddressError("has an invalid repository id '" + strings.Join(path, "/") + "': its path has to be " + want)
}

// Escape joins elements of a path, each escaped.
func Escape(elements ...string) string {
	escaped := make([]string, len(elements))
	for i, element := range elements {
		escaped[i] = url.PathEscape(element)
	}
	return strings.Join(escaped, "/")
}

// Authenticate returns the value of a header that carries a credential. The error is permanent, names what holds the
// credential, and does not quote it.
func Authenticate(field, header, value string) (map[string][]string, error) {
	if err := httpx.CheckHeaders(field, map[string]string{header: value}); err != nil {
		return nil, err
	}
	return map[string][]string{header: {value}}, nil
}

// Token is the token of the Secret, or the password beside a username, as hosts take it that know no other user.
func Token(cfg provider.Config) (string, error) {
	if token := strings.TrimSpace(cfg.Token); token != "" {
		return token, nil
	}
	if password := strings.TrimSpace(cfg.Password); password != "" {
		return password, nil
	}
	return "", provider.MissingKey("token")
}
