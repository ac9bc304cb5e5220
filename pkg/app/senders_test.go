package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// specCall is an example request of the specification of Flux's Receivers, with its real path and signature.
type specCall struct {
	receiver, kind, digest string
	headers                map[string]string
	body                   string
	// stranger is the status for the same call with its credential changed; 0 if the path is the only credential.
	stranger int
}

// The examples are for namespace apps and this token.
const specToken = "s3cr3t-webhook-token"

func specCalls() []specCall {
	const json = "application/json"
	return []specCall{
		{"generic-recv", "generic", "4542529e6869be7035d5327219383da0e80f3c7eeeb4e3ac10ba74791baccc36",
			map[string]string{"Content-Type": json}, `{"image":"registry.example.com/shop:1.2.3"}`, 0},
		{"hmac-recv", "generic-hmac", "233721aba9ab4f3705438f23fc6ecc2e9d5a7452b61c1c3a71e604273125e781",
			map[string]string{"X-Signature": "sha256=91053bea9db4b5573f35ed75460e02167a27948fb6b7ce0adf458d2e777f8640"},
			`{"image":"registry.example.com/shop:1.2.3"}`, 401},
		{"gh-receiver", "github", "aaa2b174ee6df9f62876a02008d36a0efc200cd8bbc1b583a686cc8d4f920e14",
			map[string]string{"Content-Type": json, "X-GitHub-Event": "push", "X-Hub-Signature-256": "sha256=1a42b694b2278740ea64b15422659d3c115fb48cfc7c747007f11ad658dc5ae2"},
			`{"ref":"refs/heads/main","repository":{"full_name":"acme/shop"}}`, 401},
		{"gl-recv", "gitlab", "118d9ee9114f922f64c83d61873e6b1d196a268647b0202a4a4531f7337d7703",
			map[string]string{"Content-Type": json, "X-Gitlab-Event": "Push Hook", "X-Gitlab-Token": specToken},
			`{"object_kind":"push","ref":"refs/heads/main","project":{"path_with_namespace":"acme/shop"}}`, 401},
		{"bb-recv", "bitbucket", "7b45bb4de539de18d13c62c78757ad115200f4edca8d700868eef5de03d7b591",
			map[string]string{"Content-Type": json + "; charset=utf-8", "X-Event-Key": "repo:refs_changed", "X-Hub-Signature": "sha256=24780b9f42f6614a0f1f48e7caf4f2754dcb67900f53cbd5451bfde6d932bbb9"},
			`{"eventKey":"repo:refs_changed","repository":{"slug":"shop"}}`, 401},
		{"harbor-recv", "harbor", "a4140c924ec14027558ca9f13397678126a0600766c8e98f558b8cd99f2c36cf",
			map[string]string{"Content-Type": json, "Authorization": specToken},
			`{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"1.2.3"}],"repository":{"repo_full_name":"acme/shop"}}}`, 401},
		{"dockerhub-recv", "dockerhub", "13c134705e0d7929acf4b331d91cbdbe58183b0d5c969cd4942c0bde575a3738",
			map[string]string{"Content-Type": json}, `{"push_data":{"tag":"1.2.3","pusher":"acme"},"repository":{"repo_url":"https://hub.docker.com/r/acme/shop"}}`, 0},
		{"quay-recv", "quay", "d11c1f02a37ebb69cb9990dd8887a7b5e6d21e1accd2acdff388c98b3bf9f938",
			map[string]string{"Content-Type": json}, `{"docker_url":"quay.io/acme/shop","updated_tags":["1.2.3"]}`, 0},
		{"nexus-recv", "nexus", "eda52100427861fd7d2b25fd6eba2d950ece52554d0f6a91b1f5ae71d7b5c77e",
			map[string]string{"Content-Type": json, "X-Nexus-Webhook-Signature": "0b9e8e2333be6dce68f9a792804389b0b37fda51"},
			`{"action":"UPDATED","repositoryName":"docker-hosted"}`, 401},
		{"acr-recv", "acr", "679f4e1b85ad61095e65154d6654f5a14a37ef320d44d1a4346c0a674e8c6458",
			map[string]string{"Content-Type": json + "; charset=utf-8"}, `{"action":"push","target":{"repository":"shop","tag":"1.2.3"}}`, 0},
		{"cdevents-recv", "cdevents", "8d3694be96f0404276baadacacac396c62d298b73fd4ad2fff8afd96fee68fdc",
			map[string]string{"Content-Type": json, "Ce-Type": "dev.cdevents.change.merged.0.2.0"},
			`{"context":{"version":"0.4.1","id":"42","source":"/forge/acme","type":"dev.cdevents.change.merged.0.2.0","timestamp":"2026-08-07T10:00:00Z"},
 "subject":{"id":"pr-7","type":"change","content":{"repository":{"id":"acme/shop"}}}}`, 0},
	}
}

// TestSpecifiedCalls makes every example call of the specification, and the same without its credential, against the
// running controller and the real API server.
func TestSpecifiedCalls(t *testing.T) {
	cp := shared(t)
	const ns = "apps"
	namedNamespace(t, cp, ns)
	// A token is here in the clear, since the paths and signatures are those of the specification.
	manifests := secretManifest(ns, "token", map[string]string{"token": specToken, "extra": "key"})
	for _, call := range specCalls() {
		manifests += gitRepository(ns, call.receiver) + fmt.Sprintf(`apiVersion: notification.toolkit.fluxcd.io/v1
kind: Receiver
metadata: {name: %[2]s, namespace: %[1]s}
spec:
  type: %[3]s
  secretRef: {name: token}
  resources: [{kind: GitRepository, name: %[2]s}]
---
`, ns, call.receiver, call.kind)
	}
	cp.Apply(t, manifests)
	c := start(t, cp, nil)
	for _, call := range specCalls() {
		t.Run(call.kind, func(t *testing.T) {
			if got := receiver(t, cp, ns, call.receiver, "True").Status.WebhookPath; got != "/hook/"+call.digest {
				t.Fatalf("path %s", got)
			}
			c.knows("/hook/" + call.digest)
			if call.stranger != 0 {
				altered := map[string]string{}
				for name, value := range call.headers {
					altered[name] = value
					if strings.Contains(name, "Signature") || strings.Contains(name, "Token") || name == "Authorization" {
						altered[name] = strings.Map(func(r rune) rune {
							if r == '1' || r == '3' {
								return '2'
							}
							return r
						}, value)
					}
				}
				if status, text := c.send(t, call.digest, altered, call.body); status != call.stranger {
					t.Errorf("with another credential: %d %s, want %d", status, text, call.stranger)
				}
				if at := annotation(t, cp, ns, call.receiver); at != "" {
					t.Error("a call that is not authentic annotated an object")
				}
			}
			eventually(t, "the call to be accepted", func() error {
				if status, text := c.send(t, call.digest, call.headers, call.body); status != http.StatusAccepted {
					return fmt.Errorf("%d %s", status, text)
				}
				return nil
			})
			eventually(t, "the annotation", func() error {
				if annotation(t, cp, ns, call.receiver) == "" {
					return fmt.Errorf("none")
				}
				return nil
			})
		})
	}
}

// send makes a call and returns the status and the text.
func (c *process) send(t *testing.T, digest string, headers map[string]string, body string) (int, string) {
	t.Helper()
	req, err := http.NewRequest(http.MethodPost, "http://"+c.ReceiverAddress()+"/hook/"+digest, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range headers {
		req.Header.Set(name, value)
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
