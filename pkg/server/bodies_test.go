package server

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestBodies has a request under way whose body is slow, or said to be long, while another comes.
func TestBodies(t *testing.T) {
	const limit = 1000
	for _, test := range []struct {
		name string
		// sent is what has come of the first body, declared its Content-Length; -1 means that there is none.
		sent     int
		declared int64
		second   int
		status   int
	}{
		{"room for both", 600, -1, 400, http.StatusOK},
		{"one byte too many", 600, -1, 401, http.StatusServiceUnavailable},
		{"one byte too many by its word", 10, 600, 401, http.StatusServiceUnavailable},
		{"not counted twice", 600, 600, 400, http.StatusOK},
		{"more than its word", 700, 600, 300, http.StatusOK},
	} {
		t.Run(test.name, func(t *testing.T) {
			reached := make(chan struct{}, 1)
			handler := NewBodies(limit).Limit(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				reached <- struct{}{}
				if _, err := ReadBody(w, r); err != nil {
					WriteBodyError(w, err)
				}
			}))
			post := func(body io.Reader, declared int64) *httptest.ResponseRecorder {
				request := httptest.NewRequest(http.MethodPost, "/", body)
				request.ContentLength = declared
				answer := httptest.NewRecorder()
				handler.ServeHTTP(answer, request)
				return answer
			}
			slow, rest := io.Pipe()
			done := make(chan int)
			go func() { done <- post(slow, test.declared).Code }()
			// What is written has been counted when the next is read, be it nothing.
			for _, part := range []string{strings.Repeat("x", test.sent), ""} {
				if _, err := rest.Write([]byte(part)); err != nil {
					t.Fatal(err)
				}
			}
			<-reached
			if got := post(strings.NewReader(strings.Repeat("y", test.second)), int64(test.second)); got.Code != test.status ||
				(got.Code != http.StatusOK) != (got.Header().Get("Retry-After") == RetryAfter) {
				t.Errorf("the second: %d %v", got.Code, got.Header())
			}
			<-reached
			if err := rest.Close(); err != nil {
				t.Fatal(err)
			}
			if code := <-done; code != http.StatusOK {
				t.Errorf("the first: %d", code)
			}
			if got := post(strings.NewReader(strings.Repeat("z", limit)), limit); got.Code != http.StatusOK {
				t.Errorf("after both: %d", got.Code)
			}
		})
	}
}
