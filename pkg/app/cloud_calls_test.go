package app

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/jwks"
	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
	"github.com/notification-controller/notification-controller/pkg/source/snstest"
)

// TestCallsOfClouds has the example of spec/receivers.md §5.10 and a notification of SNS, with others in place of Google and
// Amazon.
func TestCallsOfClouds(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	const topic, audience, email = "arn:aws:sns:us-west-2:123456789012:images", "https://flux.example.com", "pubsub@acme.iam.gserviceaccount.com"
	manifests := secretManifest(ns, "keys", map[string]string{"token": planted, "email": email, "audience": audience, "topicARN": topic})
	for kind, filter := range map[string]string{
		"gcr": "req == {'action': 'INSERT', 'digest': 'europe-docker.pkg.dev/acme/apps/shop@sha256:0f1e', 'tag': 'europe-docker.pkg.dev/acme/apps/shop:1.2.3'}",
		"sns": "req.Message.image.endsWith('/shop')",
	} {
		manifests += gitRepository(ns, kind) + fmt.Sprintf(`apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  type: %[2]s
  secretRef: {name: keys}
  resourceFilter: "%[3]s"
  resources: [{kind: GitRepository, name: %[2]s}]
---
`, ns, kind, filter)
	}
	cp.Apply(t, manifests)
	google, amazon := oidctest.New(t), snstest.New(t, time.Now())
	c := start(t, cp, nil)
	c.hook.Verifiers = source.Config{Keys: jwks.NewCache(google.Client(), time.Now), Client: amazon.Client()}

	const push = `{"message":{"messageId":"1","publishTime":"2026-08-07T10:00:00Z","data":"eyJhY3Rpb24iOiJJTlNFUlQiLCJkaWdlc3QiOiJldXJvcGUtZG9ja2VyLnBrZy5kZXYvYWNtZS9hcHBzL3Nob3BAc2hhMjU2OjBmMWUiLCJ0YWciOiJldXJvcGUtZG9ja2VyLnBrZy5kZXYvYWNtZS9hcHBzL3Nob3A6MS4yLjMifQ=="},"subscription":"projects/acme/subscriptions/flux"}`
	pubsub := func(audience string) map[string]string {
		return map[string]string{"Content-Type": "application/json", "Authorization": "Bearer " + google.Token(t, map[string]any{
			"iss": "https://accounts.google.com", "aud": audience, "email": email, "email_verified": true, "exp": time.Now().Add(time.Minute).Unix(),
		})}
	}
	now := time.Now().UTC().Format(time.RFC3339)
	publish := func(topic, signed string) string {
		const image = `{"image":"registry.example.com/shop"}`
		return string(amazon.Sign(t, map[string]string{
			"Type": "Notification", "MessageId": "1", "TopicArn": topic, "Message": image, "Timestamp": now, "SignatureVersion": "2",
		}, "Message\n"+image+"\nMessageId\n1\nTimestamp\n"+now+"\nTopicArn\n"+signed+"\nType\nNotification\n"))
	}
	text := map[string]string{"Content-Type": "text/plain; charset=UTF-8"}
	for _, test := range []struct {
		kind    string
		forged  []map[string]string
		bodies  []string
		headers map[string]string
		body    string
	}{
		{"gcr", []map[string]string{pubsub(audience + "/other"), {"Content-Type": "application/json"}}, []string{push, push}, pubsub(audience), push},
		{"sns", []map[string]string{text, text}, []string{publish(topic, topic+"x"), publish(topic+"2", topic+"2")}, text, publish(topic, topic)},
	} {
		t.Run(test.kind, func(t *testing.T) {
			path := receiver(t, cp, ns, test.kind, "True").Status.WebhookPath
			c.knows(path)
			digest := strings.TrimPrefix(path, "/hook/")
			for i, headers := range test.forged {
				if status, text := c.send(t, digest, headers, test.bodies[i]); status != http.StatusUnauthorized || text != "not authentic\n" {
					t.Errorf("forged: got %d %s", status, text)
				}
			}
			if annotation(t, cp, ns, test.kind) != "" {
				t.Error("a call that is not authentic annotated an object")
			}
			eventually(t, "the call to be accepted", func() error {
				if status, text := c.send(t, digest, test.headers, test.body); status != http.StatusAccepted {
					return fmt.Errorf("%d %s", status, text)
				}
				return nil
			})
			if status, text := c.send(t, digest, test.headers, test.body); status != http.StatusOK || text != "duplicate\n" {
				t.Errorf("repeated: got %d %s", status, text)
			}
			eventually(t, "the annotation", func() error {
				if annotation(t, cp, ns, test.kind) == "" {
					return fmt.Errorf("none")
				}
				return nil
			})
		})
	}
}
