package alertmanager

import (
	"maps"
	"time"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// alert is known by its labels: two with the same ones are the same alert. Alertmanager has no limits of its own.
type alert struct {
	Status      string            `json:"status"`
	Labels      map[string]string `json:"labels"`
	Annotations map[string]string `json:"annotations"`
	StartsAt    time.Time         `json:"startsAt"`
	// EndsAt is zero as long as the end is not known, and sent nonetheless.
	EndsAt time.Time `json:"endsAt"`
}

// newAlert returns an alert that all but the message, the summary and a count are labels of: each revision and each reason is an
// alert of its own.
func newAlert(e *event.Event) alert {
	// A Caser has a state, so each event gets its own.
	name := "Flux" + e.InvolvedObject.Kind + cases.Title(language.Und).String(e.Reason)
	a := alert{
		Status:      "firing",
		Labels:      objectLabels(e, name),
		Annotations: map[string]string{"message": e.Message},
		StartsAt:    wholeSeconds(e.Timestamp.Time),
	}
	a.Labels["severity"] = e.Severity
	a.Labels["reason"] = e.Reason
	a.annotate(event.KeySummary)
	a.annotate(event.KeySuppressed)
	return a
}

// newIncident returns the alert of an object that fails, whatever with, or its end. So that both have the same labels,
// what differs between a failure and the success after it is in annotations.
func newIncident(e *event.Event) alert {
	a := alert{
		Status:      "firing",
		Labels:      objectLabels(e, "Flux"+e.InvolvedObject.Kind+"Failed"),
		Annotations: map[string]string{"message": e.Message, "reason": e.Reason},
		StartsAt:    wholeSeconds(e.Timestamp.Time),
	}
	a.Labels["severity"] = event.SeverityError
	a.annotate(event.KeySummary)
	a.annotate(event.KeySuppressed)
	for _, key := range versionKeys() {
		a.annotate(key)
	}
	if !e.IsError() {
		if a.StartsAt.IsZero() {
			// Without a time the end would not be one.
			a.StartsAt = wholeSeconds(time.Now())
		}
		a.Status = "resolved"
		// Alertmanager keeps the earlier start that it knows.
		a.EndsAt = a.StartsAt
	}
	return a
}

// versionKeys are the metadata keys with which controllers say what of an object failed or succeeded.
func versionKeys() []string {
	return []string{
		event.KeyRevision, event.KeyOriginRevision, event.KeyCommit, event.KeyCommitStatus, event.KeyChecksum,
		event.KeyDigest, "oci-digest", "app-version",
	}
}

// objectLabels returns the metadata and what names the object as labels, to which the caller may add.
func objectLabels(e *event.Event, alertName string) map[string]string {
	labels := map[string]string{}
	maps.Copy(labels, e.Metadata)
	maps.Copy(labels, map[string]string{
		"alertname":           alertName,
		"kind":                e.InvolvedObject.Kind,
		"name":                e.InvolvedObject.Name,
		"namespace":           e.InvolvedObject.Namespace,
		"reportingcontroller": e.ReportingController,
	})
	return labels
}

// annotate makes an annotation of a label, if there is one.
func (a alert) annotate(label string) {
	if value, ok := a.Labels[label]; ok {
		delete(a.Labels, label)
		a.Annotations[label] = value
	}
}

func wholeSeconds(t time.Time) time.Time { return t.UTC().Truncate(time.Second) }
