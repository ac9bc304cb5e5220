package page

import (
	"cmp"
	"slices"
	"strings"
	"time"

	apimeta "k8s.io/apimachinery/pkg/api/meta"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// maxRows is how many rows of each table are shown. A filter looks through all that is remembered.
const maxRows = 100

// filter is what the viewer asked for.
type filter struct {
	// object has to be part of KIND/NAMESPACE/NAME, in lower case.
	object string
	// failed shows only what did not arrive.
	failed bool
}

func (f filter) selects(name string) bool {
	return f.object == "" || strings.Contains(strings.ToLower(name), f.object)
}

// view is what the page shows: the JSON of data.json, whose names stay as they are, and whose lists are never null. Times
// are in UTC. It does not tell its own time, so that what did not change reads the same.
type view struct {
	Deliveries []deliveryRow `json:"deliveries"`
	Events     []eventRow    `json:"events"`
	Backlogs   []backlogRow  `json:"backlogs"`
	Receivers  []receiverRow `json:"receivers"`
}

type eventRow struct {
	// ID is empty for what was not accepted.
	ID       string               `json:"id"`
	At       time.Time            `json:"at"`
	Result   dispatch.EventResult `json:"result"`
	Object   string               `json:"object"`
	Severity string               `json:"severity"`
	Reason   string               `json:"reason"`
	Message  string               `json:"message"`
	// Asked is how many Alerts were asked, of which Matches select the event, and Unlisted are not among Verdicts.
	Asked    int          `json:"asked"`
	Matches  int          `json:"matches"`
	Unlisted int          `json:"unlisted"`
	Verdicts []verdictRow `json:"verdicts"`
	Error    string       `json:"error"`
}

type verdictRow struct {
	Alert   string           `json:"alert"`
	Verdict dispatch.Verdict `json:"verdict"`
}

type deliveryRow struct {
	ID       string    `json:"id"`
	At       time.Time `json:"at"`
	Object   string    `json:"object"`
	Alert    string    `json:"alert"`
	Provider string    `json:"provider"`
	Type     string    `json:"type"`
	// Result is "sending" while there is none.
	Result dispatch.Result `json:"result"`
	Reason provider.Reason `json:"reason"`
	// TookMilliseconds is from the event to the end, 0 before that.
	TookMilliseconds float64 `json:"tookMilliseconds"`
	Error            string  `json:"error"`
	// Count is how many attempts there were, of which the last are listed.
	Count    int          `json:"count"`
	Attempts []attemptRow `json:"attempts"`
}

type attemptRow struct {
	At               time.Time `json:"at"`
	TookMilliseconds float64   `json:"tookMilliseconds"`
	Error            string    `json:"error"`
}

type backlogRow struct {
	Provider string `json:"provider"`
	Waiting  int    `json:"waiting"`
	Running  int    `json:"running"`
	// OldestSeconds is how long the oldest has been waiting, PausedSeconds how long the service asked to wait yet.
	OldestSeconds float64 `json:"oldestSeconds"`
	PausedSeconds float64 `json:"pausedSeconds"`
}

type receiverRow struct {
	Name   string    `json:"name"`
	Type   string    `json:"type"`
	State  string    `json:"state"`
	Detail string    `json:"detail"`
	Calls  []callRow `json:"calls"`
}

type callRow struct {
	At               time.Time `json:"at"`
	Outcome          string    `json:"outcome"`
	Reason           string    `json:"reason"`
	TookMilliseconds float64   `json:"tookMilliseconds"`
}

// utc is a time to the millisecond, which is all that HTML's <time> takes.
func utc(t time.Time) time.Time { return t.UTC().Truncate(time.Millisecond) }

// milliseconds are those of a duration, to the given precision.
func milliseconds(d, precision time.Duration) float64 {
	return float64(d.Round(precision)) / float64(time.Millisecond)
}

// view copies what is to be shown, while nobody writes.
func (l *Ledger) view(f filter) view {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := view{Deliveries: []deliveryRow{}, Events: []eventRow{}}
	for e := range l.events.newest {
		if len(v.Events) == maxRows {
			break
		}
		if f.selects(e.object.String()) {
			v.Events = append(v.Events, e.row())
		}
	}
	deliveries := &l.deliveries
	if f.failed {
		deliveries = &l.failures
	}
	for d := range deliveries.newest {
		if len(v.Deliveries) == maxRows {
			break
		}
		if f.selects(d.object.String()) {
			v.Deliveries = append(v.Deliveries, d.row())
		}
	}
	return v
}

func (e *seenEvent) row() eventRow {
	row := eventRow{
		ID: e.id, At: utc(e.at), Result: e.result, Severity: e.severity, Reason: e.reason, Message: e.message,
		Asked: len(e.verdicts) + e.unlisted, Matches: e.matches, Unlisted: e.unlisted,
		Verdicts: make([]verdictRow, 0, len(e.verdicts)), Error: e.err,
	}
	if e.object.Kind != "" {
		row.Object = e.object.String()
	}
	for _, said := range e.verdicts {
		row.Verdicts = append(row.Verdicts, verdictRow{said.alert.String(), said.verdict})
	}
	return row
}

func (d *delivery) row() deliveryRow {
	row := deliveryRow{
		ID: d.key.event + "-" + d.key.alert, At: utc(d.at), Object: d.object.String(), Alert: d.alert.String(), Provider: d.provider.String(),
		Type: d.kind, Result: d.result, Reason: d.reason, TookMilliseconds: milliseconds(d.age, time.Millisecond), Error: d.err,
		Count: d.count, Attempts: make([]attemptRow, 0, len(d.attempts)),
	}
	if d.result == "" {
		row.Result = "sending"
	}
	for _, tried := range d.attempts {
		row.Attempts = append(row.Attempts, attemptRow{utc(tried.at), milliseconds(tried.took, time.Millisecond), tried.err})
	}
	return row
}

// callsOf returns the last calls of a Receiver, the newest first.
func (l *Ledger) callsOf(r *v1.Receiver) []callRow {
	l.mu.Lock()
	defer l.mu.Unlock()
	rows := []callRow{}
	calls := l.calls[r.UID]
	if calls == nil {
		return rows
	}
	for c := range calls.newest {
		rows = append(rows, callRow{utc(c.At), c.Outcome, c.Reason, milliseconds(c.Took, time.Microsecond)})
	}
	return rows
}

// receiverRows shows Receivers: those that were called last go first.
func (l *Ledger) receiverRows(receivers []*v1.Receiver, f filter) []receiverRow {
	rows := []receiverRow{}
	for _, r := range receivers {
		if !f.selects("receiver/" + r.Namespace + "/" + r.Name) {
			continue
		}
		row := receiverRow{Name: r.Namespace + "/" + r.Name, Type: r.Spec.Type, State: "not reconciled yet", Calls: l.callsOf(r)}
		if r.Spec.Suspend {
			row.State = "suspended"
		} else if ready := apimeta.FindStatusCondition(r.Status.Conditions, notification.ConditionReady); ready != nil {
			row.State, row.Detail = "Ready: "+string(ready.Status), ready.Message
			if ready.Status == "True" {
				// It tells the path, which is secret.
				row.Detail = ""
			}
		}
		rows = append(rows, row)
	}
	slices.SortFunc(rows, func(a, b receiverRow) int {
		return cmp.Or(lastCall(b).Compare(lastCall(a)), strings.Compare(a.Name, b.Name))
	})
	return rows[:min(len(rows), maxRows)]
}

func lastCall(r receiverRow) time.Time {
	if len(r.Calls) == 0 {
		return time.Time{}
	}
	return r.Calls[0].At
}

func backlogRows(backlogs []dispatch.Backlog, now time.Time) []backlogRow {
	rows := make([]backlogRow, 0, len(backlogs))
	for _, b := range backlogs {
		row := backlogRow{Provider: b.Provider.String(), Waiting: b.Waiting, Running: b.Running}
		if !b.Oldest.IsZero() {
			row.OldestSeconds = now.Sub(b.Oldest).Round(time.Second).Seconds()
		}
		row.PausedSeconds = max(b.PausedUntil.Sub(now), 0).Round(time.Second).Seconds()
		rows = append(rows, row)
	}
	return rows
}
