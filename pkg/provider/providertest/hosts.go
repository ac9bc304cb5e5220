package providertest

import (
	"compress/gzip"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// testRedirectElsewhere checks that no credentials go to another host that a service redirects to, and nothing that has
// a body: it may hold one.
func (s suite) testRedirectElsewhere(t *testing.T) {
	elsewhere := Serve(t, s.Success)
	service := s.serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Location", elsewhere.URL+"/elsewhere")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	sender, cfg := s.sender(t, service.URL, httpx.Options{})
	err := s.send(t, sender)
	checkNoSecret(t, err, cfg)
	if err == nil || provider.Classify(err).Kind != provider.Permanent {
		t.Errorf("the error is not permanent: %v", err)
	}
	public := []string{"Accept", "Accept-Encoding", "User-Agent"}
	for _, r := range elsewhere.Requests() {
		if len(r.Body) > 0 {
			t.Errorf("a body of %d bytes has gone to another host", len(r.Body))
		}
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
