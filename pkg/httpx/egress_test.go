package httpx

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

func TestEgress(t *testing.T) {
	address := serve(t, func(http.ResponseWriter, *http.Request) {})
	_, port, _ := strings.Cut(strings.TrimPrefix(address, "http://"), ":")
	for _, test := range []struct {
		denied  []string
		host    string
		allowed bool
	}{
		{nil, "127.0.0.1", true},
		{[]string{"169.254.0.0/16", "10.0.0.0/8", "fe80::/10"}, "127.0.0.1", true},
		{[]string{"10.0.0.0/8", "127.0.0.0/8"}, "127.0.0.1", false},
		{[]string{"127.0.0.1/32"}, "127.0.0.1", false},
		{[]string{"127.1.2.3/8"}, "127.0.0.1", false},
		// By whatever name.
		{[]string{"127.0.0.0/8", "::1/128"}, "localhost", false},
		{[]string{"127.0.0.0/8"}, "[::ffff:127.0.0.1]", false},
		{[]string{"127.0.0.0/8"}, "[::ffff:7f00:1]", false},
		// The kernel takes the unspecified address for this machine.
		{[]string{"10.0.0.0/8"}, "0.0.0.0", true},
		{[]string{"127.0.0.0/8"}, "0.0.0.0", false},
		{[]string{"127.0.0.0/8"}, "[::ffff:0.0.0.0]", false},
		{[]string{"127.0.0.0/8", "::1/128"}, "[::]", false},
	} {
		egress, err := NewEgress(test.denied)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Send(t.Context(), client(t, Options{Egress: egress}), Request{URL: "http://" + test.host + ":" + port})
		if test.allowed {
			if err != nil {
				t.Errorf("%v, %s: %v", test.denied, test.host, err)
			}
			continue
		}
		if got := provider.Classify(err); err == nil || got.Kind != provider.Permanent || got.Reason != provider.ReasonConfig || !strings.Contains(err.Error(), "--provider-deny-cidrs") {
			t.Errorf("%v, %s: %v", test.denied, test.host, err)
		}
	}
}

// TestEgressFollowsRedirects finds a way around by a service that is allowed.
func TestEgressFollowsRedirects(t *testing.T) {
	reached := false
	denied := serve(t, func(http.ResponseWriter, *http.Request) { reached = true })
	// 127.0.0.2 is this machine too.
	denied = strings.Replace(denied, "127.0.0.1", "127.0.0.2", 1)
	allowed := serve(t, http.RedirectHandler(denied, http.StatusTemporaryRedirect).ServeHTTP)
	egress, err := NewEgress([]string{"127.0.0.2/32"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Send(t.Context(), client(t, Options{Egress: egress}), Request{URL: allowed}); err == nil || reached {
		t.Errorf("reached: %t, %v", reached, err)
	}
	proxy, err := url.Parse(denied)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Send(t.Context(), client(t, Options{Egress: egress, Proxy: proxy}), Request{URL: allowed}); err == nil {
		t.Error("a proxy that is denied was used")
	}
}

func TestNewEgressRefuses(t *testing.T) {
	for _, text := range []string{"", "10.0.0.0", "10.0.0.0/33", "metadata.google.internal", "10.0.0.0/8 ", "::ffff:169.254.0.0/112"} {
		if _, err := NewEgress([]string{text}); err == nil {
			t.Errorf("%q is taken", text)
		}
	}
}
