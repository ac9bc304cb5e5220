// Package hubsig verifies and reads calls that are made as GitHub makes them, which Bitbucket, Gitea and Forgejo do too:
// an HMAC of the raw body in X-Hub-Signature-256 or, from older senders, X-Hub-Signature, and a body that is JSON or a
// form with JSON in its field "payload".
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
package hubsig

import (
	"cmp"
	"errors"
	"mime"
	"net/http"
	"net/url"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/hmacsig"
)

const (
	// Header is that of the signature.
	Header = "X-Hub-Signature-256"
	// OldHeader counts where Header is missing.
	OldHeader = "X-Hub-Signature"
)

// Verify returns nil if the raw body is signed with the token. The older header counts only where the newer one is
// missing, not where it is wrong. Neither fixes the algorithm: Bitbucket sends sha256 in the older one.
func Verify(r *source.Request, token []byte) error {
	return hmacsig.Verify(cmp.Or(r.Header.Get(Header), r.Header.Get(OldHeader)), token, r.Body)
}

// Payload returns the JSON document: the body, or the field "payload" of a form. What is in it is not looked at, since
// there are more kinds of events than anybody knows.
func Payload(r *source.Request) ([]byte, error) {
	mediaType, err := mediaTypeOf(r.Header)
	if err != nil {
		return nil, err
	}
	switch mediaType {
	case "application/json":
		return r.Body, nil
	case "application/x-www-form-urlencoded":
		form, err := url.ParseQuery(string(r.Body))
		if err != nil {
			return nil, source.BadPayload("the body is not the form that its Content-Type says")
		}
		return []byte(form.Get("payload")), nil
	default:
		return nil, source.BadPayload("the Content-Type is neither application/json nor application/x-www-form-urlencoded")
	}
}

// mediaTypeOf returns the media type without its parameters, right or wrong.
func mediaTypeOf(header http.Header) (string, error) {
	mediaType, _, err := mime.ParseMediaType(header.Get("Content-Type"))
	if err != nil && !errors.Is(err, mime.ErrInvalidMediaParameter) {
		return "", source.BadPayload("the Content-Type is missing or malformed")
	}
	return mediaType, nil
}
