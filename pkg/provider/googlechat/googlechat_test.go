package googlechat

import (
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(url string) provider.Config {
	return provider.Config{Address: url + "/v1/spaces/x/messages?key=k&token=t", Channel: "ignored", Username: "ignored", Token: "ignored"}
}

func TestMessage(t *testing.T) { providertest.CheckMessages(t, New, config) }

func TestRequest(t *testing.T) {
	r := providertest.Capture(t, New, config, providertest.Notification())[0]
	if r.Method != http.MethodPost || r.Path != "/v1/spaces/x/messages" || r.Query != "key=k&token=t" || r.Header.Get("Authorization") != "" {
		t.Errorf("%s %s?%s %v", r.Method, r.Path, r.Query, r.Header)
	}
}

func TestLimits(t *testing.T) {
	providertest.CheckLimit(t, New, config, maxMessage, func(body []byte) int { return len(body) })
}
