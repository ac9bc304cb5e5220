package opsgenie

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Limits of fields, in characters. That of the details counts all keys and values together; it is kept in bytes, which
// are never fewer.
//
// Source: https://docs.opsgenie.com/docs/alert-api
const (
	maxMessage     = 130
	maxDescription = 15_000
	maxDetails     = 8_000
	maxNote        = 25_000
)

// alert creates an alert, or counts up the open one with its alias.
type alert struct {
	Message     string            `json:"message"`
	Alias       string            `json:"alias"`
	Description string            `json:"description"`
	Details     map[string]string `json:"details"`
}

func newAlert(n *provider.Notification, alias string) alert {
	details := maps.Clone(n.Event.Metadata)
	if details == nil {
		details = map[string]string{}
	}
	details["severity"] = n.Event.Severity
	object := n.Event.InvolvedObject
	return alert{
		Message:     provider.CutRunes(object.Kind+"/"+object.Name, maxMessage),
		Alias:       alias,
		Description: provider.CutRunes(n.Event.Message, maxDescription),
		Details:     provider.CutValues(details, maxDetails),
	}
}

// closing closes an alert.
type closing struct {
	Note string `json:"note,omitempty"`
}

func newClosing(n *provider.Notification) closing {
	return closing{Note: provider.CutRunes(n.Event.Message, maxNote)}
}

// alias tells one alert from another: a digest of the Provider, so that two clusters do not share it, of the object and
// of what else tells alerts of an object apart.
func alias(n *provider.Notification, distinctions ...string) string {
	parts := append([]string{n.Provider.UID, n.Event.InvolvedObject.String()}, distinctions...)
	digest := sha256.Sum256([]byte(strings.Join(parts, "/")))
	return hex.EncodeToString(digest[:])
}
