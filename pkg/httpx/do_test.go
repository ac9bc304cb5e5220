package httpx

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

func serve(t *testing.T, handler http.HandlerFunc) string {
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

func client(t *testing.T, o Options) *http.Client {
	c := NewClient(o)
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func TestRequest(t *testing.T) {
	var got *http.Request
	var body []byte
	address := serve(t, func(_ http.ResponseWriter, r *http.Request) {
		got = r
		body, _ = io.ReadAll(r.Body)
	})
	header := http.Header{"X-Custom": {"one"}}
	if err := PostJSON(t.Context(), client(t, Options{}), address, header, map[string]string{"b": "<", "a": "é"}); err != nil {
		t.Fatal(err)
	}
	if want := `{"a":"é","b":"\u003c"}`; string(body) != want || got.Method != http.MethodPost || got.ContentLength != int64(len(want)) {
		t.Errorf("%s %d bytes: %s", got.Method, got.ContentLength, body)
	}
	if got.Header.Get("Content-Type") != "application/json" || got.Header.Get("X-Custom") != "one" {
		t.Errorf("headers %v", got.Header)
	}
	if len(header) != 1 {
		t.Errorf("the caller's headers have changed: %v", header)
	}

	_, err := Send(t.Context(), client(t, Options{}), Request{Method: http.MethodPut, URL: address, Header: http.Header{"Content-Type": {"text/plain"}}, Body: []byte("x")})
	if err != nil || got.Method != http.MethodPut || got.Header.Get("Content-Type") != "text/plain" {
		t.Errorf("%s %v: %v", got.Method, got.Header, err)
	}
	_, err = Send(t.Context(), client(t, Options{}), Request{Method: http.MethodGet, URL: address})
	if err != nil || got.Header.Get("Content-Type") != "" || len(body) != 0 {
		t.Errorf("GET with %v and %q: %v", got.Header, body, err)
	}
}

func TestPostJSONRefusesPayload(t *testing.T) {
	err := PostJSON(t.Context(), client(t, Options{}), "http://127.0.0.1:1/", nil, func() {})
	if err == nil || provider.Classify(err).Kind != provider.Permanent {
		t.Errorf("the error is not permanent: %v", err)
	}
}

func TestAnswer(t *testing.T) {
	long := strings.Repeat("x", maxAnswer+1)
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Answer", "one")
		w.WriteHeader(http.StatusTeapot)
		_, _ = io.WriteString(w, long)
	})
	answer, err := Send(t.Context(), client(t, Options{}), Request{URL: address})
	if err == nil || answer == nil {
		t.Fatalf("answer %v, error %v", answer, err)
	}
	if answer.StatusCode != http.StatusTeapot || answer.Header.Get("X-Answer") != "one" || len(answer.Body) != maxAnswer {
		t.Errorf("answer %d, %v, %d bytes", answer.StatusCode, answer.Header, len(answer.Body))
	}
	if _, err := Do(t.Context(), client(t, Options{}), Request{URL: address}); err != nil {
		t.Errorf("Do judges the status: %v", err)
	}
}

func TestStatusError(t *testing.T) {
	now := time.Date(2026, time.August, 7, 10, 15, 0, 0, time.UTC)
	for _, test := range []struct {
		status int
		header http.Header
		kind   provider.Kind
		reason provider.Reason
		after  time.Duration
	}{
		{429, nil, provider.Transient, provider.ReasonRateLimited, 0},
		{429, http.Header{"Retry-After": {"30"}}, provider.Throttled, provider.ReasonRateLimited, 30 * time.Second},
		{503, nil, provider.Transient, provider.ReasonServerError, 0},
		{503, http.Header{"Retry-After": {"Fri, 07 Aug 2026 10:16:00 GMT"}}, provider.Throttled, provider.ReasonRateLimited, time.Minute},
		{503, http.Header{"Retry-After": {"0"}}, provider.Transient, provider.ReasonServerError, 0},
		{500, http.Header{"Retry-After": {"30"}}, provider.Transient, provider.ReasonServerError, 0},
		{501, nil, provider.Permanent, provider.ReasonRejected, 0},
		{400, nil, provider.Permanent, provider.ReasonRejected, 0},
		{401, nil, provider.Permanent, provider.ReasonAuth, 0},
		{403, nil, provider.Permanent, provider.ReasonAuth, 0},
		{404, nil, provider.Permanent, provider.ReasonNotFound, 0},
		{410, nil, provider.Permanent, provider.ReasonNotFound, 0},
		{301, nil, provider.Permanent, provider.ReasonRedirect, 0},
	} {
		err := provider.Classify(StatusError(&Answer{StatusCode: test.status, Header: test.header}, now))
		if err.Kind != test.kind || err.Reason != test.reason || err.RetryAfter != test.after {
			t.Errorf("%d %v: got %+v", test.status, test.header, err)
		}
	}
	for _, status := range []int{200, 201, 202, 204, 299} {
		if err := StatusError(&Answer{StatusCode: status}, now); err != nil {
			t.Errorf("%d: %v", status, err)
		}
	}
	if err := StatusError(&Answer{StatusCode: 520}, now); err.Error() != "the service answered 520" {
		t.Errorf("got %q", err)
	}
	err := StatusError(&Answer{StatusCode: 400, Body: []byte("no\n\n such  channel")}, now)
	if want := "the service answered 400 Bad Request: no such channel"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
}

func TestRetryAfter(t *testing.T) {
	now := time.Date(2026, time.August, 7, 10, 15, 0, 0, time.UTC)
	for value, want := range map[string]time.Duration{
		"":                              0,
		"7":                             7 * time.Second,
		" 7 ":                           7 * time.Second,
		"0":                             0,
		"-7":                            0,
		"1.5":                           0,
		"soon":                          0,
		"9000000000":                    maxRetryAfterSeconds * time.Second,
		"99999999999999999999999":       0,
		"Fri, 07 Aug 2026 10:15:09 GMT": 9 * time.Second,
		// The obsolete forms, which RFC 9110 has recipients take.
		"Friday, 07-Aug-26 10:15:09 GMT": 9 * time.Second,
		"Fri Aug  7 10:15:09 2026":       9 * time.Second,
		"Fri, 07 Aug 2026 10:15:00 GMT":  0,
		"Fri, 07 Aug 2020 10:15:00 GMT":  0,
	} {
		after, ok := RetryAfter(http.Header{"Retry-After": {value}}, now)
		if ok != (want > 0) || ok && after != want {
			t.Errorf("%q: got %s, %t, want %s", value, after, ok, want)
		}
	}
	if _, ok := RetryAfter(nil, now); ok {
		t.Error("a time without a header")
	}
}

func TestQuote(t *testing.T) {
	for body, want := range map[string]string{
		"":                             "",
		" \n ":                         "",
		"one\r\n two\tthree":           "one two three",
		"a\xffb":                       "ab",
		strings.Repeat("a", 512):       strings.Repeat("a", 512),
		strings.Repeat("a", 513):       strings.Repeat("a", 512) + "…",
		strings.Repeat("a", 511) + "é": strings.Repeat("a", 511) + "…",
	} {
		if got := Quote([]byte(body)); got != want {
			t.Errorf("%q: got %q, want %q", body, got, want)
		}
	}
}

func TestTransportErrors(t *testing.T) {
	const path = "/planted-path?key=planted"
	hijack := func(text string) string {
		return serve(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			_, _ = io.WriteString(conn, text)
			_ = conn.Close()
		})
	}
	plain := serve(t, func(http.ResponseWriter, *http.Request) {})
	secure := httptest.NewTLSServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	t.Cleanup(secure.Close)
	hanging := serve(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	expired, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	canceled, cancelNow := context.WithCancel(t.Context())
	cancelNow()

	for _, test := range []struct {
		name    string
		ctx     context.Context
		address string
		header  http.Header
		kind    provider.Kind
		reason  provider.Reason
	}{
		{"hung up", t.Context(), hijack(""), nil, provider.Transient, provider.ReasonConnection},
		{"not HTTP", t.Context(), hijack("220 smtp\r\n"), nil, provider.Transient, provider.ReasonConnection},
		{"no TLS", t.Context(), strings.Replace(plain, "http:", "https:", 1), nil, provider.Permanent, provider.ReasonTLS},
		{"unknown CA", t.Context(), secure.URL, nil, provider.Permanent, provider.ReasonTLS},
		{"deadline", expired, hanging, nil, provider.Transient, provider.ReasonTimeout},
		{"canceled", canceled, plain, nil, provider.Transient, provider.ReasonConnection},
		{"scheme", t.Context(), "ftp://127.0.0.1", nil, provider.Permanent, provider.ReasonConfig},
		{"header", t.Context(), plain, http.Header{"X-Custom": {"planted\n"}}, provider.Permanent, provider.ReasonConfig},
		{"no URL", t.Context(), "http://%zz", nil, provider.Permanent, provider.ReasonConfig},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := Send(test.ctx, client(t, Options{}), Request{URL: test.address + path, Header: test.header})
			if err == nil {
				t.Fatal("no error")
			}
			if got := provider.Classify(err); got.Kind != test.kind || got.Reason != test.reason {
				t.Errorf("got %+v", got)
			}
			if strings.Contains(err.Error(), "planted") {
				t.Errorf("the error shows the URL or a header: %v", err)
			}
		})
	}
	if _, err := Send(canceled, client(t, Options{}), Request{URL: plain}); !errors.Is(err, context.Canceled) {
		t.Errorf("the error does not unwrap: %v", err)
	}
}
