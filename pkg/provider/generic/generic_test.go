package generic

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

type constructor func(provider.Config) (provider.Sender, error)

// capture sends a notification to a test server and returns the only request.
func capture(t *testing.T, construct constructor, cfg provider.Config, n *provider.Notification) providertest.Request {
	t.Helper()
	service := providertest.Serve(t, func(http.ResponseWriter, *http.Request) {})
	cfg.Address = service.URL + "/hook?a=b"
	cfg.Client = httpx.NewClient(httpx.Options{})
	defer cfg.Client.CloseIdleConnections()
	sender, err := construct(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := sender.Send(t.Context(), n); err != nil {
		t.Fatal(err)
	}
	requests := service.Requests()
	if len(requests) != 1 {
		t.Fatalf("%d requests", len(requests))
	}
	return requests[0]
}

func TestBody(t *testing.T) {
	for file, n := range map[string]*provider.Notification{
		"testdata/error.json": providertest.Notification(),
		"testdata/info.json":  providertest.InfoNotification(),
		"testdata/empty.json": {Event: event.Event{Metadata: map[string]string{"foo": "bar"}}},
	} {
		t.Run(file, func(t *testing.T) {
			r := capture(t, New, provider.Config{}, n)
			if r.Method != http.MethodPost || r.Path != "/hook" || r.Query != "a=b" {
				t.Errorf("%s %s?%s", r.Method, r.Path, r.Query)
			}
			providertest.Golden(t, file, r.Body)
		})
	}
}

func TestHeaders(t *testing.T) {
	for _, test := range []struct {
		name      string
		construct constructor
		cfg       provider.Config
		want      map[string]string
	}{
		{
			"defaults", New, provider.Config{Token: "ignored", Username: "ignored", Password: "ignored"},
			map[string]string{"Content-Type": "application/json", "Gotk-Component": "kustomize-controller", "X-Signature": "", "Authorization": ""},
		},
		{
			"overridden", New,
			provider.Config{Headers: map[string]string{"content-type": "text/plain", "gotk-component": "mine", "x-signature": "mine", "Authorization": "Basic abc"}},
			map[string]string{"Content-Type": "text/plain", "Gotk-Component": "mine", "X-Signature": "mine", "Authorization": "Basic abc"},
		},
		{
			"the later of two", New, provider.Config{Headers: map[string]string{"X-A": "1", "x-a": "2"}},
			map[string]string{"X-A": "2"},
		},
		{
			"signature stays", NewHMAC, provider.Config{Token: "s3cr3t", Headers: map[string]string{"x-signature": "mine", "X-A": "1"}},
			map[string]string{"X-Signature": "sha256=ef485b75b998aa20fcc4ee8641386e109e8d044216393c65a33ca13289bcbb86", "X-A": "1"},
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := capture(t, test.construct, test.cfg, providertest.Notification())
			for name, want := range test.want {
				if got := r.Header.Values(name); strings.Join(got, ",") != want {
					t.Errorf("header %s is %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestSignature(t *testing.T) {
	webapp := &provider.Notification{Event: event.Event{
		InvolvedObject:      event.ObjectReference{Kind: "GitRepository", Namespace: "gitops-system", Name: "webapp"},
		Severity:            "info",
		Timestamp:           event.Timestamp{Time: time.Date(2022, time.September, 30, 6, 40, 29, 0, time.UTC)},
		Message:             "message",
		Reason:              "reason",
		Metadata:            map[string]string{"test": "metadata"},
		ReportingController: "source-controller",
		ReportingInstance:   "source-controller-xyz",
	}}
	for _, test := range []struct {
		key  string
		n    *provider.Notification
		want string
	}{
		{"7152fed34dd6149a7c75a276c510da27cb6f82b0", webapp, "sha256=65b018549b1254e7226d1c08f9567ee45bc9de0fc4e7b1a40253f9a018b08be7"},
		{"s3cr3t", providertest.Notification(), "sha256=ef485b75b998aa20fcc4ee8641386e109e8d044216393c65a33ca13289bcbb86"},
	} {
		r := capture(t, NewHMAC, provider.Config{Token: test.key}, test.n)
		if got := r.Header.Get(SignatureHeader); got != test.want {
			t.Errorf("signature %s, want %s", got, test.want)
		}
		// A newline at the end of the Secret's value is part of the key.
		r = capture(t, NewHMAC, provider.Config{Token: test.key + "\n"}, test.n)
		if got := r.Header.Get(SignatureHeader); got == test.want || got != sign([]byte(test.key+"\n"), r.Body) {
			t.Errorf("the key has been trimmed")
		}
	}
}

func TestConfigErrors(t *testing.T) {
	for _, test := range []struct {
		name      string
		construct constructor
		cfg       provider.Config
		names     string
	}{
		{"no address", New, provider.Config{}, "spec.address"},
		{"path only", New, provider.Config{Address: "/hook"}, "spec.address"},
		{"other scheme", New, provider.Config{Address: "mailto:x"}, "spec.address"},
		{"header name", New, provider.Config{Address: "http://h/", Headers: map[string]string{"planted secret": "x"}}, `"headers"`},
		{"header value", New, provider.Config{Address: "http://h/", Headers: map[string]string{"X-A": "planted secret\n"}}, `"X-A"`},
		{"no key", NewHMAC, provider.Config{Address: "http://h/"}, `"token"`},
		{"no address with a key", NewHMAC, provider.Config{Token: "planted secret"}, "spec.address"},
	} {
		t.Run(test.name, func(t *testing.T) {
			sender, err := test.construct(test.cfg)
			if err == nil || sender != nil {
				t.Fatalf("a sender, or no error: %v", sender)
			}
			if provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), test.names) || strings.Contains(err.Error(), "planted") {
				t.Errorf("not permanent, does not name %s, or shows a secret: %v", test.names, err)
			}
		})
	}
}
