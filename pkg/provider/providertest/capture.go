package providertest

import (
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Constructor is the New of a type.
type Constructor func(provider.Config) (provider.Sender, error)

// Capture has a new sender send a notification to a service that takes everything, and returns what that got. config
// is that of a [Fixture].
func Capture(t *testing.T, construct Constructor, config func(url string) provider.Config, n *provider.Notification) []Request {
	t.Helper()
	service := Serve(t, func(http.ResponseWriter, *http.Request) {})
	if err := Attempt(t, construct, config(service.URL), n); err != nil {
		t.Fatalf("Send: %v", err)
	}
	return service.Requests()
}

// Attempt returns the error of a new sender's only attempt.
func Attempt(t *testing.T, construct Constructor, cfg provider.Config, n *provider.Notification) error {
	t.Helper()
	cfg.Client, cfg.Dial = httpx.NewClient(httpx.Options{}), new(net.Dialer).DialContext
	defer cfg.Client.CloseIdleConnections()
	sender, err := construct(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return sendNotification(t, sender, n)
}

// CheckSuperseded checks that a new sender says that there is nothing to send, and sends nothing.
func CheckSuperseded(t *testing.T, construct Constructor, config func(url string) provider.Config, n *provider.Notification) {
	t.Helper()
	service := Serve(t, func(http.ResponseWriter, *http.Request) {})
	if err := Attempt(t, construct, config(service.URL), n); err == nil || provider.Classify(err).Kind != provider.Superseded {
		t.Errorf("not superseded: %v", err)
	}
	if requests := service.Requests(); len(requests) != 0 {
		t.Errorf("sent %s %s", requests[0].Path, requests[0].Body)
	}
}

// CheckAuthorization checks the Authorization header that each of some configurations, which lack the address, leads to.
func CheckAuthorization(t *testing.T, construct Constructor, configs map[string]provider.Config) {
	t.Helper()
	for want, cfg := range configs {
		r := Capture(t, construct, func(url string) provider.Config {
			cfg.Address = url
			return cfg
		}, Notification())[0]
		if got := r.Header.Get("Authorization"); got != want {
			t.Errorf("Authorization is %q, want %q", got, want)
		}
	}
}

// CheckRefused checks that a configuration is refused with a permanent error that names a field, and does not show what
// is "planted".
func CheckRefused(t *testing.T, construct Constructor, cfg provider.Config, field string) {
	t.Helper()
	sender, err := construct(cfg)
	if err == nil || sender != nil {
		t.Errorf("no error, or a sender, for %+v", cfg)
		return
	}
	if provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), field) || strings.Contains(err.Error(), "planted") {
		t.Errorf("not permanent, does not name %s, or shows a secret: %v", field, err)
	}
}

// Field returns a field of a JSON object that is a text.
func Field(t *testing.T, document, name string) string {
	t.Helper()
	var fields map[string]any
	if err := json.Unmarshal([]byte(document), &fields); err != nil {
		t.Fatal(err)
	}
	text, ok := fields[name].(string)
	if !ok {
		t.Errorf("field %s is %v", name, fields[name])
	}
	return text
}

// CheckCut checks that a text was cut to at most limit, in characters or bytes as count counts, at the end of a
// character, and marked.
func CheckCut(t *testing.T, field, text string, limit int, count func(string) int) {
	t.Helper()
	if n := count(text); n > limit || n < limit-len(provider.Ellipsis)-len("🚨") {
		t.Errorf("%s has length %d, want about %d", field, n, limit)
	}
	if !strings.HasSuffix(text, provider.Ellipsis) || strings.ContainsRune(text, '\uFFFD') {
		t.Errorf("%s is not marked as cut, or cut within a character: %q", field, text[max(len(text)-20, 0):])
	}
}
