package stream

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// TestEncode checks that what fits stays as it is, and that what does not is cut no more than needed.
func TestEncode(t *testing.T) {
	const limit = 10_000
	notifications := providertest.LongNotifications()
	notifications["reference"] = providertest.Notification()
	notifications["markup"] = providertest.MarkupNotification()
	notifications["bare"] = providertest.BareNotification()
	for name, n := range notifications {
		t.Run(name, func(t *testing.T) {
			whole, err := json.Marshal(n.Event)
			if err != nil {
				t.Fatal(err)
			}
			body, err := Encode(n.Event, limit)
			if err != nil {
				t.Fatal(err)
			}
			if len(whole) <= limit {
				if string(body) != string(whole) {
					t.Errorf("got  %s\nwant %s", body, whole)
				}
				return
			}
			if len(body) > limit || len(body) < limit/2-100 {
				t.Errorf("%d bytes, want at most %d", len(body), limit)
			}
			var decoded event.Event
			if err := json.Unmarshal(body, &decoded); err != nil {
				t.Fatal(err)
			}
			if decoded.InvolvedObject != n.Event.InvolvedObject || decoded.Reason != n.Event.Reason || decoded.Message == "" {
				t.Errorf("not the same event: %s", body)
			}
			if !strings.Contains(string(body), provider.Ellipsis) || strings.ContainsRune(string(body), '\uFFFD') {
				t.Error("not marked as cut, or cut within a character")
			}
		})
	}
}

func TestEncodeMessageUsesAllRoom(t *testing.T) {
	n := providertest.Notification()
	n.Event.Message = strings.Repeat("<", 100_000)
	body, err := Encode(n.Event, 20_000)
	if err != nil || len(body) > 20_000 || len(body) < 20_000-20 {
		t.Errorf("%d bytes: %v", len(body), err)
	}
}

func TestEncodeWhatNeverFits(t *testing.T) {
	if _, err := Encode(providertest.Notification().Event, 100); provider.Classify(err).Kind != provider.Permanent {
		t.Errorf("error %v", err)
	}
}
