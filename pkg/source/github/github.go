// Package github is the Receiver type "github": webhooks of GitHub, GitHub Enterprise Server, Gitea and Forgejo.
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
package github

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
	signatureHeader    = "X-Hub-Signature-256"
	oldSignatureHeader = "X-Hub-Signature"
	eventHeader        = "X-GitHub-Event"
)

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:      "github",
		Verifier:  source.VerifierFunc(verify),
		HasEvents: true,
		Title:     "GitHub, GitHub Enterprise Server, Gitea, Forgejo",
		Headers:   []string{signatureHeader, oldSignatureHeader, eventHeader},
		Check:     "HMAC of the body with the token, as JSON or as a form; sha256 wins over sha1",
	}
}

func verify(r *source.Request, data map[string][]byte) (source.Result, error) {
	// The older header counts only where the newer one is missing, not where it is wrong. Neither fixes the algorithm.
	signature := cmp.Or(r.Header.Get(signatureHeader), r.Header.Get(oldSignatureHeader))
	if err := hmacsig.Verify(signature, data[source.TokenKey], r.Body); err != nil {
		return source.Result{}, err
	}
	payload, err := payloadOf(r)
	if err != nil {
		return source.Result{}, err
	}
	return source.Result{Event: r.Header.Get(eventHeader), Payload: payload}, nil
}

// payloadOf returns the JSON document: the body, or the field "payload" of a form. What is in it is not looked at, since
// there are more kinds of events than anybody knows.
func payloadOf(r *source.Request) ([]byte, error) {
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
