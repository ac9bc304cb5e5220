package registry

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// fixtures says of each row how to test it.
func fixtures() map[string]providertest.Fixture {
	return map[string]providertest.Fixture{
		"generic": {Config: func(url string) provider.Config {
			return provider.Config{
				Address: url + "/hooks/planted-path?key=planted-query",
				Headers: map[string]string{"Authorization": "Bearer planted-bearer", "X-Api-Key": `planted"key\with <odd> characters`},
			}
		}},
		"generic-hmac": {Config: func(url string) provider.Config {
			return provider.Config{
				Address: url + "/hooks/planted-path",
				Token:   "planted-hmac-key\n",
				Headers: map[string]string{"X-Api-Key": "planted-header"},
			}
		}},
		"slack": {Config: func(url string) provider.Config {
			return provider.Config{
				Address: url + "/services/T00000000/B00000000/planted-path",
				Token:   "xoxb-planted-token",
				Channel: "general",
			}
		}},
	}
}

func TestCompliance(t *testing.T) {
	fixtures := fixtures()
	for _, row := range Types() {
		t.Run(row.Name, func(t *testing.T) {
			t.Parallel()
			fixture, ok := fixtures[row.Name]
			if !ok {
				t.Fatal("no fixture: the row is not tested")
			}
			providertest.Run(t, row, fixture)
		})
	}
}
