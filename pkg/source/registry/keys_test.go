package registry_test

import (
	"strings"
	"testing"
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
	"github.com/notification-controller/notification-controller/pkg/source/snstest"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// callsWithKeys has calls of the types that verify with somebody else's public keys, which are made for the test.
func callsWithKeys(t *testing.T) map[string]sourcetest.Call {
	t.Helper()
	issuer := oidctest.New(t)
	keys := jwks.NewCache(issuer.Client(), time.Now)
	return map[string]sourcetest.Call{
		"generic-oidc": {
			Config: source.Config{Keys: keys, OIDCProviders: []v1.OIDCProvider{{
				IssuerURL:   issuer.URL,
				Validations: []v1.OIDCValidation{{Expression: "claims.repository == 'acme/shop'", Message: "repository not allowed"}},
			}}},
			Secret: map[string][]byte{},
			Header: header("Content-Type", "application/json", "Authorization", bearer(t, issuer, map[string]any{
				"iss": issuer.URL, "aud": "notification-controller", "repository": "acme/shop",
			})),
			Body:         []byte(`{"image":"registry.example.com/shop:1.2.3"}`),
			Proofs:       []string{"Authorization"},
			WithoutToken: true,
		},
		"gcr": {
			Config: source.Config{Keys: keys},
			Secret: sourcetest.Secret(source.TokenKey, sourcetest.Token, "email", "pusher@acme.iam.gserviceaccount.com", "audience", "https://flux.example.com"),
			Header: header("Content-Type", "application/json", "Authorization", bearer(t, issuer, map[string]any{
				"iss": "https://accounts.google.com", "aud": "https://flux.example.com",
				"email": "pusher@acme.iam.gserviceaccount.com", "email_verified": true,
			})),
			Body: []byte(`{"message":{"messageId":"1","publishTime":"2026-08-07T10:00:00Z","data":"eyJhY3Rpb24iOiJJTlNFUlQi` +
				`LCJkaWdlc3QiOiJldXJvcGUtZG9ja2VyLnBrZy5kZXYvYWNtZS9hcHBzL3Nob3BAc2hhMjU2OjBmMWUiLCJ0YWciOiJldXJvcGUtZG9ja2Vy` +
				`LnBrZy5kZXYvYWNtZS9hcHBzL3Nob3A6MS4yLjMifQ=="},"subscription":"projects/acme/subscriptions/flux"}`),
			DeliveryID:   "1",
			Proofs:       []string{"Authorization"},
			WithoutToken: true,
		},
		"sns": snsCall(t),
	}
}

// bearer is the header with a token of the issuer that is good for a minute.
func bearer(t *testing.T, issuer *oidctest.Issuer, claims map[string]any) string {
	t.Helper()
	claims["exp"] = time.Now().Add(time.Minute).Unix()
	for {
		token := issuer.Token(t, claims)
		// Of the last character of the signature, two bits count: with a "w" they are those of the characters that the
		// suite alters it to.
		if !strings.HasSuffix(token, "w") {
			return "Bearer " + token
		}
	}
}

// snsCall has no header that proves anything: the signature is in the body.
func snsCall(t *testing.T) sourcetest.Call {
	t.Helper()
	const topic = "arn:aws:sns:us-west-2:123456789012:MyTopic"
	service, now := snstest.New(t, time.Now()), time.Now().UTC().Format(time.RFC3339)
	body := service.Sign(t, map[string]string{
		"Type": "Notification", "MessageId": "1", "TopicArn": topic, "Message": "Hello world!", "Timestamp": now, "SignatureVersion": "2",
	}, "Message\nHello world!\nMessageId\n1\nTimestamp\n"+now+"\nTopicArn\n"+topic+"\nType\nNotification\n")
	return sourcetest.Call{
		Config: source.Config{Client: service.Client()},
		Secret: sourcetest.Secret(source.TokenKey, sourcetest.Token, "topicARN", topic),
		Header: header("Content-Type", "text/plain; charset=UTF-8"),
		Body:   body, DeliveryID: "1",
	}
}
