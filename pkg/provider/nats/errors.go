package nats

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"strings"

	"github.com/nats-io/nats.go"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// classify says what an error of the library, or one that a server sent, means for the event.
//
// Source: https://docs.nats.io/reference/reference-protocols/nats-protocol#ok-err
func classify(ctx context.Context, err error) error {
	var (
		verification *tls.CertificateVerificationError
		record       tls.RecordHeaderError
		operation    *net.OpError
		timeout      net.Error
		denied       *httpx.DeniedError
	)
	// What a server says is not longer than it should be, and on one line.
	text := httpx.Quote([]byte(err.Error()))
	switch {
	case ctx.Err() != nil:
		return provider.Transientf(provider.ReasonTimeout, "no answer in time: %w", ctx.Err())
	case errors.As(err, &denied):
		return provider.Permanentf(provider.ReasonConfig, "%w", denied)
	case errors.Is(err, nats.ErrPermissionViolation):
		return provider.Permanentf(provider.ReasonAuth, "the user of the Secret in spec.secretRef may not publish to the subject in spec.channel: %s", text)
	case isRefusal(err):
		return provider.Permanentf(provider.ReasonAuth, "the server does not take the credentials of the Secret in spec.secretRef: %s", text)
	case errors.As(err, &verification), errors.As(err, &record):
		return provider.Permanentf(provider.ReasonTLS, "%s", text)
	case errors.Is(err, nats.ErrSecureConnWanted):
		return provider.Permanentf(provider.ReasonTLS, "the server does not speak TLS: %s", text)
	case errors.Is(err, nats.ErrTLS), errors.As(err, &operation) && operation.Op == "remote error":
		// A TLS alert. The service may only be in trouble.
		return provider.Transientf(provider.ReasonTLS, "%s", text)
	case errors.Is(err, nats.ErrMaxPayload), errors.Is(err, nats.ErrBadSubject), strings.Contains(strings.ToLower(text), "maximum payload"):
		return provider.Permanentf(provider.ReasonInvalid, "%s", text)
	case strings.Contains(text, "maximum connections"), strings.Contains(text, "maximum account active connections"):
		return provider.Transientf(provider.ReasonServerError, "%s", text)
	case errors.As(err, &timeout) && timeout.Timeout():
		return provider.Transientf(provider.ReasonTimeout, "no answer in time: %s", text)
	default:
		return provider.Transientf(provider.ReasonConnection, "%s", text)
	}
}

// isRefusal says whether a server refused who connects. The library has no errors of its own for some of its reasons when
// they come during connecting.
func isRefusal(err error) bool {
	if errors.Is(err, nats.ErrNkeysNotSupported) {
		return true
	}
	text := strings.ToLower(err.Error())
	for _, refusal := range []string{nats.AUTHORIZATION_ERR, "authentication expired", "authentication revoked"} {
		if strings.Contains(text, refusal) {
			return true
		}
	}
	return false
}

// isDenied says whether the operator does not allow a connection.
func isDenied(err error) bool {
	var denied *httpx.DeniedError
	return errors.As(err, &denied)
}
