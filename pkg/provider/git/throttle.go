package git

import (
	"bytes"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
)

// secondaryWait is how long GitHub wants to be left alone where its secondary limits do not say.
//
// Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api#exceeding-the-rate-limit
const secondaryWait = time.Minute

// throttled says for how long the host wants no more calls, if it does. GitHub says so with 403 or 429 and any of
// Retry-After, X-RateLimit-Remaining and X-RateLimit-Reset (Unix time), or in words; GitLab with 429 and
// RateLimit-Reset; Azure DevOps and Bitbucket with 429 and Retry-After. What is throttled without a time is left to
// the queue's own back-off.
//
// Sources: that of secondaryWait; https://docs.gitlab.com/administration/settings/user_and_ip_rate_limits/#response-headers;
// https://learn.microsoft.com/azure/devops/integrate/concepts/rate-limits#api-client-experience
func throttled(answer *httpx.Answer, now time.Time) (time.Duration, bool) {
	if answer.StatusCode != http.StatusForbidden && answer.StatusCode != http.StatusTooManyRequests {
		return 0, false
	}
	if after, ok := httpx.RetryAfter(answer.Header, now); ok {
		return after, true
	}
	// A 403 is about rights, unless it says that it is not.
	exhausted := first(answer.Header, "X-Ratelimit-Remaining", "Ratelimit-Remaining") == "0"
	if exhausted || answer.StatusCode == http.StatusTooManyRequests {
		if after, ok := reset(answer.Header, now); ok {
			return after, true
		}
	}
	if exhausted || bytes.Contains(bytes.ToLower(answer.Body), []byte("secondary rate limit")) {
		return secondaryWait, true
	}
	return 0, false
}

// reset is the time until the limit is lifted, which is in the future.
func reset(header http.Header, now time.Time) (time.Duration, bool) {
	seconds, err := strconv.ParseInt(first(header, "X-Ratelimit-Reset", "Ratelimit-Reset"), 10, 64)
	if err != nil {
		return 0, false
	}
	after := time.Unix(seconds, 0).Sub(now)
	return after, after > 0
}

func first(header http.Header, names ...string) string {
	for _, name := range names {
		if value := strings.TrimSpace(header.Get(name)); value != "" {
			return value
		}
	}
	return ""
}
