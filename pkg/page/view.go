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
	"github.com/notification-controller/notification-controller/pkg/hook"
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

// view is what the page shows.
type view struct {
	Now        time.Time
	Object     string
	Failed     bool
	Events     []eventRow
	Deliveries []deliveryRow
	Backlogs   []backlogRow
	Receivers  []receiverRow
}

type eventRow struct {
	ID       string
	At       time.Time
	Result   dispatch.EventResult
	Object   string
	Severity string
	Reason   string
	Message  string
	Verdicts []verdictRow
	// Asked is how many Alerts were asked, of which Matches select the event, and Unlisted are not among Verdicts.
	Asked, Matches, Unlisted int
	Err                      string
}

type verdictRow struct {
	Alert   string
	Verdict dispatch.Verdict
	Matched bool
}

type deliveryRow struct {
	ID       string
	At       time.Time
	Object   string
	Alert    string
	Provider string
	Type     string
	// Result is "sending" while there is none.
	Result   string
	Bad      bool
	Reason   string
	Took     time.Duration
	Err      string
	Attempts []attemptRow
	// Count is how many attempts there were, of which the last are listed.
	Count int
}

type attemptRow struct {
	At   time.Time
	Took time.Duration
	Err  string
}

type backlogRow struct {
	Provider string
	Waiting  int
	Running  int
	Oldest   time.Duration
	Paused   time.Duration
}

type receiverRow struct {
	Name   string
	Type   string
	State  string
	Detail string
	Calls  []hook.Call
}

// view copies what is to be shown, while nobody writes.
func (l *Ledger) view(f filter) view {
	l.mu.Lock()
	defer l.mu.Unlock()
	v := view{Now: l.now(), Object: f.object, Failed: f.failed}
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
		ID: e.id, At: e.at, Result: e.result, Severity: e.severity, Reason: e.reason, Message: e.message,
		Asked: len(e.verdicts) + e.unlisted, Matches: e.matches, Unlisted: e.unlisted, Err: e.err,
	}
	if e.object.Kind != "" {
		row.Object = e.object.String()
	}
	for _, said := range e.verdicts {
		row.Verdicts = append(row.Verdicts, verdictRow{said.alert.String(), said.verdict, said.verdict == dispatch.Matched})
	}
	return row
}

func (d *delivery) row() deliveryRow {
	row := deliveryRow{
		ID: d.key.event + "-" + d.key.alert, At: d.at, Object: d.object.String(), Alert: d.alert.String(), Provider: d.provider.String(),
		Type: d.kind, Result: string(d.result), Reason: string(d.reason), Took: d.age.Round(time.Millisecond), Err: d.err, Count: d.count,
		Bad: d.result == dispatch.Failed || d.result == dispatch.Dropped,
	}
	if d.result == "" {
		row.Result = "sending"
	}
	for _, tried := range d.attempts {
		row.Attempts = append(row.Attempts, attemptRow{tried.at, tried.took.Round(time.Millisecond), tried.err})
	}
	return row
}

// callsOf returns the last calls of a Receiver, the newest first.
func (l *Ledger) callsOf(r *v1.Receiver) []hook.Call {
	l.mu.Lock()
	defer l.mu.Unlock()
	calls := l.calls[r.UID]
	if calls == nil {
		return nil
	}
	var found []hook.Call
	for c := range calls.newest {
		shown := *c
		shown.Took = shown.Took.Round(time.Microsecond)
		found = append(found, shown)
	}
	return found
}

// receiverRows shows Receivers: those that were called last go first.
func (l *Ledger) receiverRows(receivers []*v1.Receiver, f filter) []receiverRow {
	var rows []receiverRow
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
			row.Oldest = now.Sub(b.Oldest).Round(time.Second)
		}
		row.Paused = max(b.PausedUntil.Sub(now), 0).Round(time.Second)
		rows = append(rows, row)
	}
	return rows
}
