package registry_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/registry"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// TestCompliance runs the rules that every type keeps over the table.
func TestCompliance(t *testing.T) {
	calls := calls()
	maps.Copy(calls, callsWithKeys(t))
	for _, row := range registry.Types() {
		t.Run(row.Name, func(t *testing.T) {
			call, ok := calls[row.Name]
			if !ok {
				t.Fatalf("no authentic call of the type %s; add one to calls", row.Name)
			}
			sourcetest.Run(t, row, call)
		})
	}
}

// calls has the sample requests of spec/receivers.md §5, by type.
func calls() map[string]sourcetest.Call {
	token := map[string][]byte{source.TokenKey: []byte("s3cr3t-webhook-token"), "unused": []byte("extra")}
	const image = `{"image":"registry.example.com/shop:1.2.3"}`
	return map[string]sourcetest.Call{
		"generic": {
			Secret: token,
			Header: header("Content-Type", "application/json"),
			Body:   []byte(image),
		},
		"generic-hmac": {
			Secret:    token,
			Header:    header("X-Signature", "sha256=91053bea9db4b5573f35ed75460e02167a27948fb6b7ce0adf458d2e777f8640"),
			Body:      []byte(image),
			Proofs:    []string{"X-Signature"},
			SignsBody: true,
		},
		"github": {
			Secret: token,
			Header: header(
				"Content-Type", "application/json",
				"X-GitHub-Event", "push",
				"X-GitHub-Delivery", "f6266f16-1bf3-46a5-9ea4-602e06ead473",
				"X-Hub-Signature-256", "sha256=1a42b694b2278740ea64b15422659d3c115fb48cfc7c747007f11ad658dc5ae2",
			),
			Body:       []byte(`{"ref":"refs/heads/main","repository":{"full_name":"acme/shop"}}`),
			Event:      "push",
			DeliveryID: "f6266f16-1bf3-46a5-9ea4-602e06ead473",
			Proofs:     []string{"X-Hub-Signature-256"},
			SignsBody:  true,
		},
		"gitlab": {
			Secret: token,
			Header: header(
				"Content-Type", "application/json",
				"X-Gitlab-Event", "Push Hook",
				"X-Gitlab-Event-UUID", "13792a34-cac6-4fda-95a8-c58e00a3954e",
				"Idempotency-Key", "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
				"X-Gitlab-Token", "s3cr3t-webhook-token",
			),
			Body:       []byte(`{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"acme/shop"}}`),
			Event:      "Push Hook",
			DeliveryID: "f5e5f430-f57b-4e6e-9fac-d9128cd7232f",
			Proofs:     []string{"X-Gitlab-Token"},
		},
		"bitbucket": {
			Secret: token,
			Header: header(
				"Content-Type", "application/json; charset=utf-8",
				"X-Event-Key", "repo:refs_changed",
				"X-Request-Id", "bd6c4d2e-5f6e-4a6e-a1a0-0d7f4e2b8c11",
				"X-Hub-Signature", "sha256=24780b9f42f6614a0f1f48e7caf4f2754dcb67900f53cbd5451bfde6d932bbb9",
			),
			Body:       []byte(`{"eventKey":"repo:refs_changed","repository":{"slug":"shop"}}`),
			Event:      "repo:refs_changed",
			DeliveryID: "bd6c4d2e-5f6e-4a6e-a1a0-0d7f4e2b8c11",
			Proofs:     []string{"X-Hub-Signature"},
			SignsBody:  true,
		},
		"harbor": {
			Secret: token,
			Header: header("Content-Type", "application/json", "Authorization", "s3cr3t-webhook-token"),
			Body: []byte(`{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"1.2.3"}],` +
				`"repository":{"repo_full_name":"acme/shop"}}}`),
			Proofs: []string{"Authorization"},
		},
		"dockerhub": {
			Secret: token,
			Header: header("Content-Type", "application/json"),
			Body: []byte(`{"push_data":{"tag":"1.2.3","pusher":"acme"},` +
				`"repository":{"repo_url":"https://hub.docker.com/r/acme/shop"}}`),
		},
		"quay": {
			Secret: token,
			Header: header("Content-Type", "application/json"),
			Body:   []byte(`{"docker_url":"quay.io/acme/shop","updated_tags":["1.2.3"]}`),
		},
		"nexus": {
			Secret: token,
			Header: header(
				"Content-Type", "application/json",
				"X-Nexus-Webhook-Signature", "0b9e8e2333be6dce68f9a792804389b0b37fda51",
			),
			Body:      []byte(`{"action":"UPDATED","repositoryName":"docker-hosted"}`),
			Proofs:    []string{"X-Nexus-Webhook-Signature"},
			SignsBody: true,
		},
		"acr": {
			Secret: token,
			Header: header("Content-Type", "application/json; charset=utf-8"),
			Body:   []byte(`{"action":"push","target":{"repository":"shop","tag":"1.2.3"}}`),
		},
		"cdevents": {
			Secret: token,
			Header: header("Content-Type", "application/json", "Ce-Type", "dev.cdevents.change.merged.0.2.0"),
			Body: []byte(`{"context":{"version":"0.4.1","id":"42","source":"/forge/acme",` +
				`"type":"dev.cdevents.change.merged.0.2.0","timestamp":"2026-08-07T10:00:00Z"},` + "\n" +
				` "subject":{"id":"pr-7","type":"change","content":{"repository":{"id":"acme/shop"}}}}`),
			Event: "dev.cdevents.change.merged.0.2.0",
		},
		"standard-webhooks": standardWebhook([]byte(`{"type":"image.pushed","data":{"tag":"1.2.3"}}`)),
		"azuredevops": {
			Secret: map[string][]byte{source.TokenKey: []byte("s3cr3t-webhook-token"), "username": []byte("azure")},
			// "azure:s3cr3t-webhook-token" in base64.
			Header: header("Content-Type", "application/json", "Authorization", "Basic YXp1cmU6czNjcjN0LXdlYmhvb2stdG9rZW4="),
			Body:   []byte(`{"eventType":"git.push","resource":{"repository":{"name":"shop"}}}`),
			Proofs: []string{"Authorization"},
		},
		"jfrog": {
			Secret: token,
			Header: header(
				"Content-Type", "application/json",
				"X-JFrog-Event-Auth", "e285aec1b29db77776833c8d70edab3f6b1480de389e83877f1b400830943e2b",
			),
			Body:      []byte(`{"domain":"docker","event_type":"pushed","data":{"image_name":"shop","tag":"1.2.3"}}`),
			Proofs:    []string{"X-JFrog-Event-Auth"},
			SignsBody: true,
		},
	}
}

// standardWebhook is a call that is made now, with a signature made as the specification of Standard Webhooks has it.
func standardWebhook(body []byte) sourcetest.Call {
	const id, key = "msg_2KWPBgLlAfxdpx2AI54pPJ85f4W", "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	timestamp := strconv.FormatInt(time.Now().Unix(), 10)
	return sourcetest.Call{
		Secret: map[string][]byte{source.TokenKey: []byte("whsec_" + base64.StdEncoding.EncodeToString([]byte(key)))},
		Header: header(
			"Content-Type", "application/json",
			"Webhook-Id", id,
			"Webhook-Timestamp", timestamp,
			"Webhook-Signature", "v1,"+base64.StdEncoding.EncodeToString(hmacSHA256(key, id+"."+timestamp+"."+string(body))),
		),
		Body:       body,
		DeliveryID: id,
		Proofs:     []string{"Webhook-Id", "Webhook-Timestamp", "Webhook-Signature"},
		SignsBody:  true,
	}
}

func hmacSHA256(key, message string) []byte {
	mac := hmac.New(sha256.New, []byte(key))
	mac.Write([]byte(message))
	return mac.Sum(nil)
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}
