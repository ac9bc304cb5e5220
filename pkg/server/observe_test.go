package server

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/go-logr/logr/funcr"
)

// ended has the results of requests.
type ended []string

func (e *ended) RequestStarted(string) func(method, code string, took time.Duration, bytes int) {
	return func(method, code string, _ time.Duration, _ int) { *e = append(*e, method+" "+code) }
}

// TestPanicsAreSaid has handlers panic: each is counted as ended, answered and logged, without what it panicked with if that
// may be a part of the request.
func TestPanicsAreSaid(t *testing.T) {
	var said strings.Builder
	logger := funcr.New(func(_, args string) { fmt.Fprintln(&said, args) }, funcr.Options{})
	var requests ended
	var nothing []int
	for path, cause := range map[string]func(){"/index": func() { nothing[3]++ }, "/text": func() { panic("planted") }} {
		handler := Observe(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { cause() }), logger, &requests, func(*http.Request) string { return "/" })
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, httptest.NewRequest(http.MethodPost, path, nil))
		if answer.Code != http.StatusInternalServerError {
			t.Errorf("%s: status %d", path, answer.Code)
		}
	}
	half := httptest.NewServer(Observe(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, "half")
		_ = http.NewResponseController(w).Flush()
		panic("planted")
	}), logger, &requests, func(*http.Request) string { return "/" }))
	resp, err := http.Post(half.URL, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if answer, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("half an answer looks whole: %q", answer)
	}
	half.Close()
	if got := strings.Join(requests, ", "); got != "POST 500, POST 500, POST 500" {
		t.Errorf("counted %s", got)
	}
	for part, want := range map[string]bool{"index out of range [3]": true, "observe_test.go": true, "planted": false} {
		if strings.Contains(said.String(), part) != want {
			t.Errorf("%q is logged: %t, want %t: %s", part, !want, want, said.String())
		}
	}
}
