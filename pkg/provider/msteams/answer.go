package msteams

import (
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/chat"
)

// complaint comes before the status that a connector got from Teams. Its own status is 200 all the same.
//
// Sources: https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using#rate-limiting-for-connectors,
// https://github.com/MicrosoftDocs/msteams-docs/issues/1810
const complaint = "Microsoft Teams endpoint returned HTTP error "

// pause is for an answer that asks to wait without saying how long: the window over which Teams counts, from which
// on it is not about single seconds (see [complaint]).
const pause = 30 * time.Second

func verdict(a *httpx.Answer, now time.Time) error {
	_, said, found := strings.Cut(string(a.Body), complaint)
	if !found {
		return httpx.StatusError(a, now)
	}
	digits, _, _ := strings.Cut(said, " ")
	status, err := strconv.Atoi(digits)
	if err != nil || status < http.StatusBadRequest {
		return provider.Transientf(provider.ReasonUnclassified, "the service did not say whether it took the message: %s", httpx.Quote(a.Body))
	}
	return chat.StatusError(chat.WithStatus(a, status), now, pause.Seconds())
}
