package cli

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/index"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/secret"
)

// refused says in one line which rule of an Alert refuses an event, and what to change. A rule that is not known here
// is only named.
func (r *reporter) refused(e *event.Event, a *v1beta3.Alert, verdict dispatch.Verdict) string {
	switch verdict {
	case dispatch.Suspended:
		return "spec.suspend is true: set it to false"
	case dispatch.CrossNamespace:
		return fmt.Sprintf("--no-cross-namespace-refs keeps it from objects outside its namespace: move the Alert and its Provider to %q, where the event comes from", e.InvolvedObject.Namespace)
	case dispatch.OtherSource:
		return nearestSource(e, a)
	case dispatch.OtherSeverity:
		return fmt.Sprintf("spec.eventSeverity is %q, and the event's severity is %q: set it to %q", a.Spec.EventSeverity, e.Severity, v1beta3.EventSeverityInfo)
	case dispatch.OtherLabels:
		return otherLabels(e, a)
	case dispatch.NotIncluded:
		return fmt.Sprintf("no expression of spec.inclusionList matches the message %s: add one that does", quoted(e.Message))
	case dispatch.Excluded:
		return excluded(e, a)
	case dispatch.FilteredOut:
		return "spec.eventFilter is not true for the event: change it"
	default:
		return fmt.Sprintf("its rule %q refuses the event", verdict)
	}
}

func oneLine(text string) string { return strings.Join(strings.Fields(text), " ") }

// quoted is a text on one line, cut if it is long.
func quoted(text string) string {
	const most = 80
	return fmt.Sprintf("%q", provider.CutRunes(oneLine(text), most))
}

// excluded names the expression that matches.
func excluded(e *event.Event, a *v1beta3.Alert) string {
	regexps := expr.NewRegexps()
	for i, expression := range a.Spec.ExclusionList {
		field := fmt.Sprintf("spec.exclusionList[%d]", i)
		if pattern, _ := regexps.Patterns(field, []string{expression}); pattern.MatchAny(e.Message) {
			return fmt.Sprintf("%s %q matches the message %s: remove it, or make it narrower", field, expression, quoted(e.Message))
		}
	}
	return "spec.exclusionList matches the message"
}

func otherLabels(e *event.Event, a *v1beta3.Alert) string {
	var wanted []string
	for i, source := range a.Spec.EventSources {
		if len(misses(e, a, source)) > 0 || source.MatchLabels == nil {
			continue
		}
		for _, key := range event.SortedKeys(source.MatchLabels) {
			wanted = append(wanted, fmt.Sprintf("%s=%s (spec.eventSources[%d])", key, source.MatchLabels[key], i))
		}
	}
	return fmt.Sprintf("%s does not have the labels that spec.eventSources.matchLabels asks for: %s: label it, or change them",
		e.InvolvedObject, strings.Join(wanted, ", "))
}

// miss is a field of a source that keeps it from an object: what it is, and what it has to be.
type miss struct{ field, is, want string }

// misses lists what keeps a source from selecting the event's object.
func misses(e *event.Event, a *v1beta3.Alert, source v1beta3.CrossNamespaceObjectReference) []miss {
	var found []miss
	object := e.InvolvedObject
	if source.Kind != object.Kind {
		is := fmt.Sprintf("%q", source.Kind)
		if strings.EqualFold(source.Kind, object.Kind) {
			is += " (upper and lower case differ)"
		}
		found = append(found, miss{"kind", is, object.Kind})
	}
	if source.Name != index.AnyName && source.Name != object.Name {
		found = append(found, miss{"name", fmt.Sprintf("%q", source.Name), object.Name})
	}
	if namespace := cmp.Or(source.Namespace, a.Namespace); namespace != object.Namespace {
		is := fmt.Sprintf("%q", namespace)
		if source.Namespace == "" {
			is = fmt.Sprintf("not set, and so the Alert's own, %q", namespace)
		}
		found = append(found, miss{"namespace", is, object.Namespace})
	}
	return found
}

// nearestSource names the source that comes closest to the event's object, if only one field is in the way.
func nearestSource(e *event.Event, a *v1beta3.Alert) string {
	o := e.InvolvedObject
	for i, source := range a.Spec.EventSources {
		if found := misses(e, a, source); len(found) == 1 {
			return fmt.Sprintf("spec.eventSources[%d].%s is %s; the event is about %s: set it to %q", i, found[0].field, found[0].is, o, found[0].want)
		}
	}
	return fmt.Sprintf("no entry of spec.eventSources selects %s: add {kind: %s, name: %s, namespace: %s}", o, o.Kind, o.Name, o.Namespace)
}

// ended says in one line where a notification went, or why it did not and what to change.
func (r *reporter) ended(o dispatch.Outcome) string {
	to := fmt.Sprintf("Provider '%s'", o.Provider)
	switch o.Result {
	case dispatch.Sent:
		if r.sent {
			return fmt.Sprintf("%s (%s) has taken it", to, o.Type)
		}
		return fmt.Sprintf("goes to %s (%s)", to, o.Type)
	case dispatch.Skipped:
		return to + ": " + skipped(o)
	default:
		return r.failed(o, to)
	}
}

// skipped says why there is nothing to send.
func skipped(o dispatch.Outcome) string {
	switch o.Reason {
	case dispatch.SkippedSuspended:
		return "its spec.suspend is true: set it to false"
	case dispatch.SkippedStatusUpdate:
		return fmt.Sprintf("the event only updates a commit status, which type %s does not show", o.Type)
	case dispatch.SkippedNoCommit:
		return fmt.Sprintf("the event names no commit, which type %s reports on: its metadata lacks %s%s", o.Type, event.CommonPrefix, event.KeyCommit)
	case dispatch.SkippedNoChangeRequest:
		return fmt.Sprintf("the event names no change request, which type %s comments on: its metadata lacks %s%s", o.Type, event.CommonPrefix, event.KeyChangeRequest)
	case dispatch.SkippedRepeat:
		return "the Alert has told of the object with this reason and severity within its spec.repeatInterval: wait, or shorten it"
	case dispatch.SkippedByType:
		return fmt.Sprintf("type %s has nothing to send for an event of this reason", o.Type)
	default:
		return fmt.Sprintf("nothing is sent (%s)", o.Reason)
	}
}

// failed says what an error asks for, if it does not say so itself.
func (r *reporter) failed(o dispatch.Outcome, to string) string {
	text := oneLine(fmt.Sprint(o.Err))
	if !strings.Contains(text, to) {
		text = to + ": " + text
	}
	switch {
	case errors.Is(o.Err, secret.ErrNotFound):
		return text + ": create it, or change the name"
	case o.Provider.UID == "" && o.Reason == provider.ReasonConfig:
		return text + r.elsewhere(o.Provider)
	}
	if next := dispatch.Advice(o.Reason); r.sent && next != "" {
		return text + ": " + next
	}
	return text + r.keys(o)
}

// elsewhere says what to do about a Provider that does not exist.
func (r *reporter) elsewhere(missing provider.Object) string {
	for _, p := range r.inventory.providers {
		if p.Name == missing.Name {
			return fmt.Sprintf(": create it; the one in %q does not count, since it has to be in the Alert's namespace", p.Namespace)
		}
	}
	return ": create it, or change the name"
}

// keys names the keys of the Secret, one of which may be misspelt.
func (r *reporter) keys(o dispatch.Outcome) string {
	p := find(r.inventory.providers, o.Provider.Namespace, o.Provider.Name)
	if p == nil || p.Spec.SecretRef == nil || !strings.Contains(fmt.Sprint(o.Err), `key "`) {
		return ""
	}
	found, err := r.inventory.secrets.Get(p.Namespace, p.Spec.SecretRef.Name)
	if err != nil {
		return ""
	}
	return fmt.Sprintf(": Secret '%s/%s' has the keys %q", p.Namespace, p.Spec.SecretRef.Name, event.SortedKeys(found.Data))
}
