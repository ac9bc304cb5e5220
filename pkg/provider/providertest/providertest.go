// Package providertest holds the rules that every type of Provider keeps, as one suite to run over the table, and
// what tests of single types share: reference notifications and golden files.
package providertest

import (
	"net/http"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

const (
	// timeout bounds an attempt that is expected to come to its end.
	timeout = 10 * time.Second
	// promptly is how long a sender has to return once its context has ended.
	promptly = 2 * time.Second
)

// Fixture says how the suite gets a type of Provider to talk to a test server.
type Fixture struct {
	// Config returns a configuration for the server at the given URL, which has no path. The secrets in it have to
	// be long enough to be told from other text; the suite sets Type, Provider, Client and Timeout.
	Config func(url string) provider.Config
	// Prepare makes a reference notification one that the type sends. Nil means that it is one already.
	Prepare func(*provider.Notification)
	// Success answers as the service does when it took the request; nil means 200 without a body.
	Success http.HandlerFunc
	// ReadsAnswer says that the status alone does not tell success.
	ReadsAnswer bool
	// Lookup tells requests that only look around: they succeed also where the delivery is to fail. Nil means none.
	Lookup func(*http.Request) bool
	// FixedHost says that the type's own idea of its service's host has to be overridden.
	FixedHost bool
	// Serve starts a service that is not HTTP and returns the address for Config; the suite leaves out then what
	// is about HTTP.
	Serve func(t *testing.T) string
}

// suite is a type with its fixture.
type suite struct {
	row provider.Type
	Fixture
}

// Run runs the suite over one type.
func Run(t *testing.T, row provider.Type, f Fixture) {
	if f.Success == nil {
		f.Success = func(http.ResponseWriter, *http.Request) {}
	}
	s := suite{row, f}
	t.Run("row", s.testRow)
	t.Run("configuration", s.testConfiguration)
	t.Run("messages", s.testMessages)
	t.Run("unchanged", s.testUnchanged)
	t.Run("concurrent", s.testConcurrent)
	t.Run("unreachable", s.testUnreachable)
	if f.Serve != nil {
		return
	}
	t.Run("status", s.testStatus)
	t.Run("retry after", s.testRetryAfter)
	t.Run("redirect", s.testRedirect)
	t.Run("redirect elsewhere", s.testRedirectElsewhere)
	t.Run("cancel", s.testCancel)
	t.Run("slow answer", s.testSlowAnswer)
	t.Run("endless answer", s.testEndlessAnswer)
	t.Run("gzip", s.testGzip)
	t.Run("connections", s.testConnections)
	t.Run("proxy", s.testProxy)
	t.Run("TLS", s.testTLS)
	t.Run("secrets", s.testSecrets)
}

// address starts a service that takes everything and returns its address.
func (s suite) address(t *testing.T) string {
	if s.Serve != nil {
		return s.Serve(t)
	}
	return s.serve(t, s.Success).URL
}

// sender returns a sender to the service at url, and the configuration it is made of.
func (s suite) sender(t *testing.T, url string, o httpx.Options) (provider.Sender, provider.Config) {
	t.Helper()
	cfg := s.Config(url)
	cfg.Type = s.row.Name
	cfg.Provider = Notification().Provider
	cfg.Timeout = timeout
	cfg.Client, cfg.TLS, cfg.Dial = httpx.NewClient(o), o.TLS, o.Egress.Dialer().DialContext
	t.Cleanup(cfg.Client.CloseIdleConnections)
	if s.FixedHost {
		cfg.Client.Transport = redirected(t, cfg.Client.Transport, url)
	}
	sender, err := s.row.New(cfg)
	if err != nil {
		t.Fatalf("New: %v", err)
	}
	return sender, cfg
}

// notification returns a reference notification that the type sends.
func (s suite) notification() *provider.Notification {
	n := Notification()
	if s.Prepare != nil {
		s.Prepare(n)
	}
	return n
}

// send makes one attempt that is expected to come to its end.
func (s suite) send(t *testing.T, sender provider.Sender) error {
	t.Helper()
	return sendNotification(t, sender, s.notification())
}
