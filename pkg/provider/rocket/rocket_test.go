package rocket

import (
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(channel, username string) func(url string) provider.Config {
	return func(url string) provider.Config {
		return provider.Config{Address: url + "/hooks/1", Channel: channel, Username: username, Token: "ignored"}
	}
}

func TestMessage(t *testing.T) { providertest.CheckMessages(t, New, config("general", "flux")) }

func TestRequest(t *testing.T) {
	r := providertest.Capture(t, New, config("", ""), providertest.Notification())[0]
	if r.Method != http.MethodPost || r.Path != "/hooks/1" || r.Header.Get("Authorization") != "" {
		t.Errorf("%s %s %v", r.Method, r.Path, r.Header)
	}
	providertest.Golden(t, "testdata/anonymous.json", r.Body)
}

// TestNothingIsCut checks what a service without limits gets.
func TestNothingIsCut(t *testing.T) {
	for name, n := range providertest.LongNotifications() {
		shown := newMessage(&n.Event, "", "").Attachments[0]
		if shown.Text != n.Event.Message || len(shown.Fields) != len(n.Event.Metadata) {
			t.Errorf("%s: has been cut", name)
		}
	}
}
