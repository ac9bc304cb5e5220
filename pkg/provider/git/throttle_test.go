package git

import (
	"net/http"
	"strconv"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
)

func TestThrottled(t *testing.T) {
	now := time.Unix(1_800_000_000, 0)
	in := func(after time.Duration) string { return strconv.FormatInt(now.Add(after).Unix(), 10) }
	for name, test := range map[string]struct {
		status int
		header []string
		body   string
		want   time.Duration
	}{
		"github primary":              {403, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(time.Hour)}, "", time.Hour},
		"github primary 429":          {429, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(time.Minute)}, "", time.Minute},
		"github secondary":            {403, []string{"Retry-After", "7", "X-RateLimit-Remaining", "4000", "X-RateLimit-Reset", in(time.Hour)}, "", 7 * time.Second},
		"github secondary in words":   {403, []string{"X-RateLimit-Remaining", "4000", "X-RateLimit-Reset", in(time.Hour)}, `{"message":"You have exceeded a secondary rate limit."}`, time.Minute},
		"github reset in the past":    {403, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(-time.Hour)}, "", time.Minute},
		"github reset makes no sense": {403, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", "soon"}, "", time.Minute},
		"gitlab":                      {429, []string{"RateLimit-Reset", in(30 * time.Second), "RateLimit-Remaining", "0"}, "", 30 * time.Second},
		"retry after":                 {429, []string{"Retry-After", "3"}, "", 3 * time.Second},
		"429 without a time":          {429, nil, "", 0},
		"no rights":                   {403, []string{"X-RateLimit-Remaining", "4999", "X-RateLimit-Reset", in(time.Hour)}, "Resource not accessible by integration", 0},
		"no rights, nothing said":     {403, nil, "", 0},
		"all is well":                 {200, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(time.Hour)}, "", 0},
		"unauthorized":                {401, []string{"X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(time.Hour)}, "", 0},
	} {
		answer := &httpx.Answer{StatusCode: test.status, Header: http.Header{}, Body: []byte(test.body)}
		for i := 0; i < len(test.header); i += 2 {
			answer.Header.Set(test.header[i], test.header[i+1])
		}
		if got, ok := throttled(answer, now); got != test.want || ok != (test.want > 0) {
			t.Errorf("%s: got %s, %t, want %s", name, got, ok, test.want)
		}
	}
}

func TestHasNext(t *testing.T) {
	for _, test := range []struct {
		header   http.Header
		comments int
		want     bool
	}{
		{http.Header{}, 9, false},
		{http.Header{}, 10, true},
		{http.Header{"Link": {`<https://h/?page=2>; rel="next", <https://h/?page=9>; rel="last"`}}, 1, true},
		{http.Header{"Link": {`<https://h/?page=1>; rel="prev", <https://h/?page=1>; rel="first"`}}, 100, false},
		{http.Header{"X-Next-Page": {"2"}}, 1, true},
		{http.Header{"X-Next-Page": {""}}, 100, false},
	} {
		if got := hasNext(test.header, test.comments); got != test.want {
			t.Errorf("%v, %d comments: got %t", test.header, test.comments, got)
		}
	}
}
