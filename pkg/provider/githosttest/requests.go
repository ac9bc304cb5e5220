package githosttest

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// Sent is the request of a sender that changes something on its host.
type Sent struct {
	// URL is the whole of it, with the host, its path escaped.
	Method, URL string
	Header      http.Header
	Body        string
}

// Capture has a new sender of cfg send a notification, and returns the requests that change something. Whatever host
// they are for, they reach one on which nothing has been written yet.
func Capture(t *testing.T, construct providertest.Constructor, cfg provider.Config, n *provider.Notification) []Sent {
	t.Helper()
	var sent []Sent
	cfg.Client = &http.Client{Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
		w := httptest.NewRecorder()
		if r.Method == http.MethodGet {
			Empty(w, r)
			return w.Result(), nil
		}
		var body strings.Builder
		if err := r.Write(&body); err != nil {
			return nil, err
		}
		_, text, _ := strings.Cut(body.String(), "\r\n\r\n")
		sent = append(sent, Sent{r.Method, r.URL.String(), r.Header, text})
		_, _ = w.WriteString(`{"id":1}`)
		return w.Result(), nil
	})}
	sender, err := construct(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	return sent
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// Empty answers requests to read as a host does on which nothing has been written yet.
func Empty(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/user"):
		_, _ = w.Write([]byte(`{"login":"` + Account + `","username":"` + Account + `"}`))
	case strings.Contains(r.URL.Path, "/_apis/"):
		_, _ = w.Write([]byte(`{"count":0,"value":[]}`))
	case strings.Contains(r.URL.Path, "build"):
		w.WriteHeader(http.StatusNotFound)
	default:
		_, _ = w.Write([]byte(`[]`))
	}
}

// Notification returns the reference notification of a failure, about a commit and a change request.
func Notification() *provider.Notification {
	n := providertest.Notification()
	n.StatusID = "kustomization/webapp/4a8b6c1e"
	n.Event.Metadata["change_request"] = "7"
	return n
}

// CheckAddresses checks to which URL a sender writes for each of some addresses.
func CheckAddresses(t *testing.T, construct providertest.Constructor, cfg provider.Config, addresses map[string]string) {
	t.Helper()
	for address, want := range addresses {
		cfg.Address = address
		if sent := Capture(t, construct, cfg, Notification()); len(sent) != 1 || sent[0].URL != want {
			t.Errorf("%s: wrote %+v, want to %s", address, sent, want)
		}
	}
}

// CheckBody checks what a sender writes for a notification.
func CheckBody(t *testing.T, construct providertest.Constructor, cfg provider.Config, n *provider.Notification, want string) {
	t.Helper()
	if sent := Capture(t, construct, cfg, n); len(sent) != 1 || sent[0].Body != want {
		t.Errorf("wrote %+v\nwant  %s", sent, want)
	}
}

// CheckLongNames checks that a field of a status whose context and object have long names has as many characters as hosts
// take.
func CheckLongNames(t *testing.T, construct providertest.Constructor, cfg provider.Config, field string) {
	t.Helper()
	const most = 255
	n := Notification()
	n.StatusID = strings.Repeat("é", most+1)
	n.Event.InvolvedObject.Name = n.StatusID
	if got := len([]rune(providertest.Field(t, Capture(t, construct, cfg, n)[0].Body, field))); got != most {
		t.Errorf("%s has %d characters, want %d", field, got, most)
	}
}
