package opsgenie

import (
	"encoding/json"
	"net/http"
	"testing"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

func config(resolve bool) func(url string) provider.Config {
	return func(url string) provider.Config {
		return provider.Config{Address: url + "/v2/alerts", Token: "otok", Resolve: resolve}
	}
}

func TestAlert(t *testing.T) {
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json": providertest.Notification(),
		"testdata/info.json":  providertest.InfoNotification(),
		"testdata/bare.json":  providertest.BareNotification(),
	} {
		t.Run(file, func(t *testing.T) {
			r := providertest.Capture(t, New, config(false), n)[0]
			if r.Method != http.MethodPost || r.Path != "/v2/alerts" || r.Header.Get("Authorization") != "GenieKey otok" {
				t.Errorf("%s %s, Authorization %q", r.Method, r.Path, r.Header.Get("Authorization"))
			}
			providertest.Golden(t, file, r.Body)
		})
	}
}

func TestAlias(t *testing.T) {
	webapp := providertest.Notification()
	webapp.Provider.UID = "test-provider-uid-123"
	webapp.Event.InvolvedObject = event.ObjectReference{Kind: "GitRepository", Namespace: "gitops-system", Name: "webapp"}
	for want, got := range map[string]string{
		"fe0de7c3e730984dc8fa97aa4e3564e679cce5c2fa3103734a603115c16f7156": alias(webapp, "reason"),
		"b86be72d453a21a6bd412ffadeffa24ab5438c5682a155b082c6265db998f209": alias(providertest.Notification(), "HealthCheckFailed"),
	} {
		if got != want {
			t.Errorf("alias %s, want %s", got, want)
		}
	}
}

// TestResolve checks that a success closes what whichever failure of the object opened.
func TestResolve(t *testing.T) {
	failed, other, succeeded := providertest.Notification(), providertest.Notification(), providertest.InfoNotification()
	other.Event.Reason = "BuildFailed"
	var aliases []string
	for _, n := range []*provider.Notification{failed, other} {
		r := providertest.Capture(t, New, config(true), n)[0]
		var opened alert
		if err := json.Unmarshal(r.Body, &opened); err != nil || r.Path != "/v2/alerts" {
			t.Fatalf("%s: %v", r.Path, err)
		}
		aliases = append(aliases, opened.Alias)
	}
	r := providertest.Capture(t, New, config(true), succeeded)[0]
	if aliases[0] != aliases[1] || r.Path != "/v2/alerts/"+aliases[0]+"/close" || r.Query != "identifierType=alias" {
		t.Errorf("opened %v, closed %s?%s", aliases, r.Path, r.Query)
	}
	providertest.Golden(t, "testdata/close.json", r.Body)

	progressing := providertest.InfoNotification()
	progressing.Event.Reason = "Progressing"
	providertest.CheckSuperseded(t, New, config(true), progressing)
}

// TestCloseCompliance runs the suite over what the table does not reach: closing.
func TestCloseCompliance(t *testing.T) {
	row := provider.Type{Name: "opsgenie", Title: "Opsgenie", New: New, NeedsAddress: true, SecretKeys: []string{"token"}, RequiredKeys: []string{"token"}}
	providertest.Run(t, row, providertest.Fixture{
		Config: func(url string) provider.Config {
			return provider.Config{Address: url + "/planted-path/v2/alerts", Token: "planted-token", Resolve: true}
		},
		Prepare: func(n *provider.Notification) { n.Event.Severity = "info" },
	})
}

func TestCloseURL(t *testing.T) {
	for address, want := range map[string]string{
		"/v2/alerts":       "/v2/alerts/x/close?identifierType=alias",
		"/v2/alerts/":      "/v2/alerts/x/close?identifierType=alias",
		"/v2/alerts?a=b":   "/v2/alerts/x/close?a=b&identifierType=alias",
		"/p%2Fq/v2/alerts": "/p%2Fq/v2/alerts/x/close?identifierType=alias",
	} {
		s, err := New(provider.Config{Address: "https://api.eu.opsgenie.com" + address, Token: "t"})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.(*sender).closeURL("x").String(); got != "https://api.eu.opsgenie.com"+want {
			t.Errorf("%s: closed at %s", address, got)
		}
	}
}

func TestLimits(t *testing.T) {
	n := providertest.LongNotification()
	n.Event.Message += n.Event.Message + n.Event.Message
	a := newAlert(n, "")
	providertest.CheckCut(t, "message", a.Message, maxMessage, utf8.RuneCountInString)
	providertest.CheckCut(t, "description", a.Description, maxDescription, utf8.RuneCountInString)
	providertest.CheckCut(t, "note", newClosing(n).Note, maxNote, utf8.RuneCountInString)
	total := 0
	for key, value := range a.Details {
		total += len(key) + len(value)
	}
	if total > maxDetails || len(a.Details) != 9 || a.Details["severity"] != "error" {
		t.Errorf("%d details have %d bytes", len(a.Details), total)
	}
	providertest.CheckCut(t, "details", a.Details["long-1"], len(a.Details["long-1"]), func(s string) int { return len(s) })
}

func TestConfigErrors(t *testing.T) {
	address := "https://api.opsgenie.com/v2/alerts"
	providertest.CheckRefused(t, New, provider.Config{Address: address}, `"token"`)
	providertest.CheckRefused(t, New, provider.Config{Address: address, Token: "planted\n"}, `"token"`)
	providertest.CheckRefused(t, New, provider.Config{Token: "planted"}, "spec.address")
}
