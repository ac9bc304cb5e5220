package cli

import (
	"fmt"
	"io"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// deliveries is the answer of explain, render and send.
type deliveries struct {
	// Delivered says that every event is delivered to at least one Provider.
	Delivered bool          `json:"delivered"`
	Events    []eventReport `json:"events"`
}

// eventReport is what becomes of an event.
type eventReport struct {
	Object    string `json:"object"`
	Severity  string `json:"severity"`
	Reason    string `json:"reason"`
	Delivered bool   `json:"delivered"`
	// Result is what the event server says: accepted or repeated.
	Result string `json:"result"`
	// Fingerprint tells repetitions, which are refused within the window.
	Fingerprint string        `json:"fingerprint"`
	Window      string        `json:"window"`
	Message     string        `json:"message"`
	Alerts      []alertReport `json:"alerts"`
}

// alertReport is what becomes of an event at one Alert.
type alertReport struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Delivered bool   `json:"delivered"`
	// Verdict is "matched", or the first rule of the Alert that refuses the event.
	Verdict string `json:"verdict"`
	// Provider is where the event goes if the Alert selects it.
	Provider *providerReport `json:"provider,omitempty"`
	// Reason is the class of why it is not delivered after all.
	Reason string `json:"reason,omitempty"`
	// Message is one line for people: where the event goes, or what to change.
	Message string   `json:"message"`
	Notes   []string `json:"notes,omitempty"`
	// Requests are those of render and send.
	Requests []exchange `json:"requests,omitempty"`
}

type providerReport struct {
	Namespace string `json:"namespace"`
	Name      string `json:"name"`
	Type      string `json:"type"`
}

// reporter turns what a flow has recorded into answers.
type reporter struct {
	inventory *inventory
	options   *options
	// alerts are those that are asked.
	alerts []*v1beta3.Alert
	// journal has the requests of senders; nil if there are none.
	journal *journal
	// check says what is wrong with an Alert.
	check func(*v1beta3.Alert) error
	// sent says that notifications have really been sent.
	sent bool
}

// event says what became of an event, whose body this is.
func (r *reporter) event(body []byte, seen *recorder) (eventReport, error) {
	e, fingerprint, err := event.Read(body)
	if err != nil {
		return eventReport{}, err
	}
	report := eventReport{
		Object: e.InvolvedObject.String(), Severity: e.Severity, Reason: e.Reason,
		Result:      string(seen.verdict.Result),
		Fingerprint: fmt.Sprintf("%x", fingerprint),
		Window:      r.options.window.String(),
		Alerts:      []alertReport{},
	}
	if seen.verdict.Result != dispatch.Accepted {
		report.Message = fmt.Sprintf("an event about the same object, with the same message and revision, came within %s before (--rate-limit-interval): "+
			"wait, or change the message or the revision", r.options.window)
		return report, nil
	}
	report.Message = "accepted"
	if r.journal == nil {
		report.Message += fmt.Sprintf("; the same within the next %s is refused", r.options.window)
	}
	verdicts := map[provider.Object]dispatch.Verdict{}
	for _, judgement := range seen.verdict.Judgements {
		verdicts[nameOf(judgement.Alert)] = judgement.Verdict
	}
	for _, alert := range r.alerts {
		verdict, asked := verdicts[nameOf(alert)]
		if !asked {
			verdict = dispatch.OtherSource
		}
		at := r.alert(e, alert, verdict, seen)
		report.Delivered = report.Delivered || at.Delivered
		report.Alerts = append(report.Alerts, at)
	}
	return report, nil
}

func (r *reporter) alert(e *event.Event, alert *v1beta3.Alert, verdict dispatch.Verdict, seen *recorder) alertReport {
	report := alertReport{
		Namespace: alert.Namespace, Name: alert.Name,
		Verdict: string(verdict),
		Notes:   seen.problems[nameOf(alert)],
	}
	if err := r.check(alert); err != nil {
		report.Notes = append(report.Notes, oneLine(err.Error()))
	}
	if alert.Name == noAlert && !r.sent {
		report.Notes = append(report.Notes, "no Alert selects the event for this Provider: it is shown as without any")
	}
	if verdict != dispatch.Matched {
		report.Message = r.refused(e, alert, verdict)
		return report
	}
	outcome, ok := seen.outcomes[nameOf(alert)]
	report.Provider = &providerReport{outcome.Provider.Namespace, outcome.Provider.Name, outcome.Type}
	report.Delivered = ok && outcome.Result == dispatch.Sent
	report.Reason = string(outcome.Reason)
	report.Message = r.ended(outcome)
	if r.journal != nil {
		report.Requests = r.journal.entries[nameOf(alert)]
	}
	return report
}

// print shows the answer to people.
func (d deliveries) print(w io.Writer) {
	for i, e := range d.Events {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s %s %s: %s\n", e.Object, e.Severity, e.Reason, e.Message)
		if len(e.Alerts) == 0 && e.Result == string(dispatch.Accepted) {
			fmt.Fprintln(w, "  no   there is no Alert")
		}
		for _, alert := range e.Alerts {
			alert.print(w)
		}
	}
}

func (a alertReport) print(w io.Writer) {
	yes := "no "
	if a.Delivered {
		yes = "yes"
	}
	fmt.Fprintf(w, "  %s  %s/%s: %s\n", yes, a.Namespace, a.Name, a.Message)
	for _, note := range a.Notes {
		fmt.Fprintf(w, "       note: %s\n", note)
	}
	for _, request := range a.Requests {
		fmt.Fprintln(w)
		request.print(w)
	}
}
