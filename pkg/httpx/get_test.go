package httpx_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/httpx"
)

func TestGet(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/document":
			_, _ = w.Write([]byte("0123456789"))
		case "/broken":
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write([]byte("planted"))
		case "/moved":
			http.Redirect(w, r, "/document", http.StatusMovedPermanently)
		case "/refused":
			http.Error(w, "planted", http.StatusForbidden)
		case "/partial":
			w.WriteHeader(http.StatusPartialContent)
		}
	}))
	t.Cleanup(server.Close)
	client := httpx.NewClient(httpx.Options{})
	pinned := httpx.WithoutRedirects(client)
	for _, test := range []struct {
		name   string
		client *http.Client
		url    string
		limit  int64
		err    string
	}{
		{"document", client, server.URL + "/document", 10, ""},
		{"too long", client, server.URL + "/document", 9, "longer than 9 bytes"},
		{"broken off", client, server.URL + "/broken", 100, "broke off"},
		{"moved", client, server.URL + "/moved", 10, ""},
		{"moved, pinned", pinned, server.URL + "/moved", 100, "301 Moved Permanently"},
		{"pinned", pinned, server.URL + "/document", 10, ""},
		{"refused", client, server.URL + "/refused", 100, "403 Forbidden"},
		{"other success", client, server.URL + "/partial", 100, "206"},
		{"no URL", client, "://planted", 100, "not a valid URL"},
		{"nobody there", client, "http://127.0.0.1:1/planted", 100, "refused"},
	} {
		t.Run(test.name, func(t *testing.T) {
			document, err := httpx.Get(t.Context(), test.client, test.url, test.limit)
			switch {
			case test.err == "" && (err != nil || string(document) != "0123456789"):
				t.Errorf("got %q, %v", document, err)
			case test.err != "" && (err == nil || !strings.Contains(err.Error(), test.err) || strings.Contains(err.Error(), "planted")):
				t.Errorf("got %v, want %q in it", err, test.err)
			}
		})
	}
}

func TestGetEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := httpx.Get(ctx, httpx.NewClient(httpx.Options{}), "http://127.0.0.1:1/", 1); err == nil {
		t.Error("no error")
	}
}
