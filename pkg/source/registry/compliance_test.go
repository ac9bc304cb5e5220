package registry_test

import (
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/registry"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// TestCompliance runs the rules that every type keeps over the table.
func TestCompliance(t *testing.T) {
	calls := calls()
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
				"X-Hub-Signature-256", "sha256=1a42b694b2278740ea64b15422659d3c115fb48cfc7c747007f11ad658dc5ae2",
			),
			Body:      []byte(`{"ref":"refs/heads/main","repository":{"full_name":"acme/shop"}}`),
			Event:     "push",
			Proofs:    []string{"X-Hub-Signature-256"},
			SignsBody: true,
		},
	}
}

func header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		h.Set(pairs[i], pairs[i+1])
	}
	return h
}
