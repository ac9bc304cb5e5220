package registry_test

import (
	"testing"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

// TestWebhookPaths has the paths of the sample requests of spec/receivers.md §5 and §6.
func TestWebhookPaths(t *testing.T) {
	const token = "s3cr3t-webhook-token"
	for _, test := range []struct{ name, token, digest string }{
		{"generic-recv", token, "4542529e6869be7035d5327219383da0e80f3c7eeeb4e3ac10ba74791baccc36"},
		{"hmac-recv", token, "233721aba9ab4f3705438f23fc6ecc2e9d5a7452b61c1c3a71e604273125e781"},
		{"gh-receiver", token, "aaa2b174ee6df9f62876a02008d36a0efc200cd8bbc1b583a686cc8d4f920e14"},
		{"gl-recv", token, "118d9ee9114f922f64c83d61873e6b1d196a268647b0202a4a4531f7337d7703"},
		{"bb-recv", token, "7b45bb4de539de18d13c62c78757ad115200f4edca8d700868eef5de03d7b591"},
		{"harbor-recv", token, "a4140c924ec14027558ca9f13397678126a0600766c8e98f558b8cd99f2c36cf"},
		{"dockerhub-recv", token, "13c134705e0d7929acf4b331d91cbdbe58183b0d5c969cd4942c0bde575a3738"},
		{"quay-recv", token, "d11c1f02a37ebb69cb9990dd8887a7b5e6d21e1accd2acdff388c98b3bf9f938"},
		{"gcr-recv", token, "f2b890c0262e3abc16f362f3da1d7c96e5d4f47d82d7137520b1ce9866486dd3"},
		{"nexus-recv", token, "eda52100427861fd7d2b25fd6eba2d950ece52554d0f6a91b1f5ae71d7b5c77e"},
		{"acr-recv", token, "679f4e1b85ad61095e65154d6654f5a14a37ef320d44d1a4346c0a674e8c6458"},
		{"cdevents-recv", token, "8d3694be96f0404276baadacacac396c62d298b73fd4ad2fff8afd96fee68fdc"},
		{"oidc-recv", "", "0102a6d7590eb8ea786ad2a3b99b0136a41c98dc4e475b6407f11d41b5c2bd9d"},
	} {
		receiver := &v1.Receiver{}
		receiver.Namespace, receiver.Name = "apps", test.name
		if got := receiver.WebhookPathFor(test.token); got != "/hook/"+test.digest {
			t.Errorf("%s: got %s, want %s", test.name, got, test.digest)
		}
	}
}
