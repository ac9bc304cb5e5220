package sentry

import (
	"net/url"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/httpx"
)

// dsn says where the events of a project go and with which keys:
//
//	{scheme}://{public key}[:{secret key}]@{host}[:{port}][/{path}]/{project}
//
// Source: https://develop.sentry.dev/sdk/foundations/transport/authentication/
type dsn struct {
	text string
	// endpoint takes envelopes.
	endpoint string
	// secretKey is empty in the DSNs that Sentry gives today.
	publicKey, secretKey string
}

func parseDSN(text string) (dsn, error) {
	u, err := httpx.ParseURL(text)
	if err != nil {
		return dsn{}, err
	}
	path, project := splitProject(u)
	publicKey := u.User.Username()
	switch {
	case publicKey == "":
		return dsn{}, httpx.AddressError("is not a DSN: it has no public key")
	case project == "":
		return dsn{}, httpx.AddressError("is not a DSN: it has no project")
	}
	secretKey, _ := u.User.Password()
	if strings.ContainsFunc(publicKey+secretKey, isNotKey) {
		return dsn{}, httpx.AddressError("is not a DSN: a key has characters that a key cannot have")
	}
	return dsn{
		text:      text,
		endpoint:  u.Scheme + "://" + u.Host + path + "/api/" + project + "/envelope/",
		publicKey: publicKey,
		secretKey: secretKey,
	}, nil
}

// splitProject takes the project, the last part, off the path.
func splitProject(u *url.URL) (path, project string) {
	whole := strings.TrimRight(u.EscapedPath(), "/")
	slash := strings.LastIndex(whole, "/")
	if slash < 0 {
		return "", ""
	}
	return whole[:slash], whole[slash+1:]
}

// isNotKey finds what would end a key where it is one of a list in a header.
func isNotKey(r rune) bool { return r <= ' ' || r == ',' || r == 0x7f }

// auth is the value of the header X-Sentry-Auth.
//
// Source: https://develop.sentry.dev/sdk/foundations/transport/authentication/
func (d dsn) auth() string {
	auth := "Sentry sentry_version=7, sentry_client=" + client + ", sentry_key=" + d.publicKey
	if d.secretKey != "" {
		auth += ", sentry_secret=" + d.secretKey
	}
	return auth
}
