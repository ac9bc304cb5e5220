package cli

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// TestJSON compares the answers of all subcommands with files: whoever reads them relies on the names of the fields.
func TestJSON(t *testing.T) {
	golden, err := filepath.Abs("testdata/golden")
	if err != nil {
		t.Fatal(err)
	}
	service := exampleDir(t)
	for _, test := range []struct {
		name, args string
		code       int
	}{
		{"explain", "explain -f event.json -f alerts.yaml -f providers.yaml", exitYes},
		{"explain-repeated", "explain -f event.json -f event.json -f alerts.yaml -f providers.yaml --alert on-call", exitNo},
		{"explain-failed", "explain -f event.json -f alerts.yaml --alert on-call", exitNo},
		{"render", "render -n apps -f event.json -f alerts.yaml -f providers.yaml --provider slack", exitYes},
		{"render-plain", "render -n apps -f event.json -f providers.yaml --provider audit", exitYes},
		{"send", "send -n apps -f event.json -f providers.yaml --provider audit", exitNo},
		{"verify", "verify -n apps -f push.http -f receivers.yaml --receiver github", exitYes},
		{"verify-forged", "verify -n apps -f forged.http -f receivers.yaml --receiver github", exitNo},
		{"verify-unknown", "verify -n apps -f push.http -f receivers.yaml", exitNo},
		{"path", "path -n apps -f receivers.yaml github", exitYes},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := run(t, "", append(strings.Fields(test.args), "-o", "json")...)
			if got.code != test.code || got.err != "" {
				t.Errorf("code %d, want %d: %s", got.code, test.code, got.err)
			}
			for _, secret := range []string{"XXXXXXXXXXXX", "example-key", "ZXhhbXBsZS1rZXk", "audit-log", "s3cr3t-webhook-token"} {
				if strings.Contains(got.out, secret) {
					t.Errorf("it shows %q", secret)
				}
			}
			out := strings.ReplaceAll(strings.TrimSuffix(got.out, "\n"), service, documented)
			providertest.Golden(t, filepath.Join(golden, test.name+".json"), []byte(out))
		})
	}
}
