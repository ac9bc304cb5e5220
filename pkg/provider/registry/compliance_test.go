package registry

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"maps"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/natstest"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// fixtures says of each row how to test it.
func fixtures() map[string]providertest.Fixture {
	googleKey := sync.OnceValue(googleKey)
	return map[string]providertest.Fixture{
		"alertmanager": {Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/planted-path/api/v2/alerts/", Username: "alert-user", Password: "planted-password"}
		}},
		"azureeventhub": {
			Config: func(string) provider.Config {
				return provider.Config{Address: "Endpoint=sb://acme.servicebus.windows.net/;SharedAccessKeyName=flux;SharedAccessKey=planted-key;EntityPath=hub"}
			},
			Success:   func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusCreated) },
			FixedHost: true,
		},
		"datadog": {Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/planted-path", Token: "planted-api-key"}
		}},
		"grafana": {Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/planted-path/api/annotations", Token: "planted-token"}
		}},
		"incident.io": {Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/v2/alert_events/http/planted-path", Token: "planted-token"}
		}},
		"opsgenie": {Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/planted-path/v2/alerts", Token: "planted-token"}
		}},
		"otel": {Config: func(url string) provider.Config {
			return provider.Config{
				Address:  url + "/planted-path/v1/traces",
				Username: "otel-user",
				Token:    "planted-token",
				Headers:  map[string]string{"X-Api-Key": "planted-header"},
			}
		}},
		"pagerduty": {Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/planted-path", Channel: "planted-routing-key"}
		}},
		"sentry": {Config: func(url string) provider.Config {
			dsn := strings.Replace(url, "://", "://planted-public-key:planted-secret-key@", 1) + "/path/42"
			return provider.Config{Address: dsn, Channel: "production"}
		}},
		"discord": {Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/api/webhooks/1/planted-path?wait=true", Username: "flux"}
		}},
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
		"googlechat": {Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/v1/spaces/x/messages?key=planted-key&token=planted-token"}
		}},
		"googlepubsub": {
			Config: func(string) provider.Config {
				return provider.Config{
					Address: "planted-project", Channel: "flux", Token: googleKey(),
					Headers: map[string]string{"attribute": "planted-attribute"},
				}
			},
			Success:   answering(`{"messageIds":["19917247038"]}`),
			FixedHost: true,
		},
		"lark": {
			Config: func(url string) provider.Config {
				return provider.Config{Address: url + "/open-apis/bot/v2/hook/planted-path"}
			},
			Success: answering(`{"code":0,"msg":"success","data":{}}`),
		},
		"matrix": {
			Config: func(url string) provider.Config {
				return provider.Config{Address: url + "/planted-path", Channel: "!abc:example.org", Token: "planted-token"}
			},
			Success: answering(`{"event_id":"$YUwRidLecu:example.com"}`),
		},
		"msteams": {
			Config: func(url string) provider.Config {
				return provider.Config{Address: url + "/workflows/planted-path?sig=planted-signature"}
			},
			Success: answering(`1`),
		},
		"nats": {
			Config: func(url string) provider.Config {
				return provider.Config{
					Address: strings.Replace(url, "http://", "nats://", 1), Channel: "flux.events",
					Username: "nats-user", Password: "planted-password",
				}
			},
			Serve: func(t *testing.T) string { return natstest.New(t).URL() },
		},
		"rocket": {
			Config: func(url string) provider.Config {
				return provider.Config{Address: url + "/hooks/1/planted-path", Channel: "general", Username: "flux"}
			},
			Success: answering(`{"success":true}`),
		},
		"slack": {Config: func(url string) provider.Config {
			return provider.Config{
				Address: url + "/services/T00000000/B00000000/planted-path",
				Token:   "xoxb-planted-token",
				Channel: "general",
			}
		}},
		"telegram": {
			Config: func(string) provider.Config {
				return provider.Config{Channel: "-1552289257:1", Token: "123456:planted-token"}
			},
			Success:   answering(`{"ok":true,"result":{"message_id":1}}`),
			FixedHost: true,
		},
		"webex": {
			Config: func(url string) provider.Config {
				return provider.Config{Address: url + "/planted-path/messages", Channel: "room", Token: "planted-token"}
			},
			Success: answering(`{"id":"Y2lzY29zcGFyazovL3VzL01FU1NBR0Uv","roomId":"room"}`),
		},
		"zoom": {
			Config: func(url string) provider.Config {
				return provider.Config{Address: url + "/chat/webhooks/planted-path?key=planted-query", Token: "planted-token"}
			},
		},
		"zulip": {
			Config: func(url string) provider.Config {
				return provider.Config{Address: url + "?key=planted-query", Channel: "general/flux", Username: "bot@example.org", Password: "planted-password"}
			},
			Success: answering(`{"id":42,"msg":"","result":"success"}`),
		},
	}
}

// googleKey returns the JSON key of a service account.
func googleKey() string {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return err.Error()
	}
	block := &pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}
	return fmt.Sprintf(`{"type":"service_account","client_email":"planted@acme.iam.gserviceaccount.com","private_key":%q}`, pem.EncodeToMemory(block))
}

// answering answers 200 with a body, as a service does that took the request.
func answering(body string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, body) }
}

func TestCompliance(t *testing.T) {
	fixtures := fixtures()
	maps.Copy(fixtures, gitFixtures())
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
