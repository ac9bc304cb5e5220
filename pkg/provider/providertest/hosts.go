package providertest

import (
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/httpx"
)

// testRedirectElsewhere checks that what a service redirects to another host goes there without credentials.
func (s suite) testRedirectElsewhere(t *testing.T) {
	elsewhere := Serve(t, s.Success)
	service := s.serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", elsewhere.URL+"/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	sender, cfg := s.sender(t, service.URL, httpx.Options{})
	err := s.send(t, sender)
	checkNoSecret(t, err, cfg)
	// A fixed host is at https, from where no redirect to http is followed.
	if len(elsewhere.Requests()) == 0 && !s.FixedHost {
		t.Errorf("the redirect has not been followed: %v", err)
	}
	public := []string{"Accept", "Accept-Encoding", "Content-Encoding", "Content-Length", "Content-Type", "Gotk-Component", "User-Agent", "X-Signature"}
	for _, r := range elsewhere.Requests() {
		for name := range r.Header {
			if !slices.Contains(public, name) {
				t.Errorf("header %s has gone to another host", name)
			}
		}
	}
}

// testGzip has the service compress its answer, which clients offer.
func (s suite) testGzip(t *testing.T) {
	service := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Accept-Encoding") != "gzip" {
			t.Errorf("Accept-Encoding is %q", r.Header.Get("Accept-Encoding"))
		}
		plain := httptest.NewRecorder()
		s.Success(plain, r)
		w.Header().Set("Content-Encoding", "gzip")
		w.WriteHeader(plain.Code)
		compressed := gzip.NewWriter(w)
		_, _ = compressed.Write(plain.Body.Bytes())
		_ = compressed.Close()
	})
	sender, _ := s.sender(t, service.URL, httpx.Options{})
	if err := s.send(t, sender); err != nil {
		t.Errorf("Send: %v", err)
	}
}
