package slack

import (
	"encoding/json"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// pause is for an answer that asks to wait without saying how long. Slack takes about one message per second and
// channel (https://docs.slack.dev/apis/web-api/rate-limits), and says 30 seconds in its example of such an answer.
const pause = 30 * time.Second

// methodError returns nil if the Web API took the message, and otherwise what its answer says to do. That is in the
// body, whatever the status, unless the status asks to try again.
//
// Source: https://docs.slack.dev/reference/methods/chat.postMessage#errors
func methodError(a *httpx.Answer, now time.Time) error {
	statusError := httpx.StatusError(a, now)
	if statusError != nil && provider.Classify(statusError).Kind != provider.Permanent {
		return statusError
	}
	var answer struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
	}
	if err := json.Unmarshal(a.Body, &answer); err != nil || !answer.OK && answer.Error == "" {
		if statusError != nil {
			return statusError
		}
		// Not what Slack says: the answer broke off, or it is of something in between.
		return provider.Transientf(provider.ReasonUnclassified, "Slack did not say whether it took the message: %s", httpx.Quote(a.Body))
	}
	if answer.OK {
		return nil
	}
	const format = "Slack responded with error: %s"
	code := httpx.Quote([]byte(answer.Error))
	switch answer.Error {
	case "ratelimited", "rate_limited":
		after, ok := httpx.RetryAfter(a.Header, now)
		if !ok {
			after = pause
		}
		return provider.Throttledf(after, format, code)
	case "fatal_error", "internal_error", "service_unavailable", "request_timeout", "team_added_to_org":
		return provider.Transientf(provider.ReasonServerError, format, code)
	default:
		return provider.Permanentf(reason(answer.Error), format, code)
	}
}

// reason is the class of an error that only an edit can heal, there or here.
func reason(code string) provider.Reason {
	switch code {
	case "access_denied", "accesslimited", "account_inactive", "ekm_access_denied", "invalid_auth", "missing_scope",
		"no_permission", "not_allowed_token_type", "not_authed", "org_login_required", "restricted_action",
		"team_access_not_granted", "token_expired", "token_revoked", "two_factor_setup_required":
		return provider.ReasonAuth
	case "channel_not_found", "is_archived":
		return provider.ReasonNotFound
	default:
		return provider.ReasonRejected
	}
}
