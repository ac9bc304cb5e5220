package dispatch

import (
	"cmp"
	"errors"
	"fmt"

	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/index"
	"github.com/notification-controller/notification-controller/pkg/message"
)

// Verdict is what an Alert says to an event: the first rule that refused it, or Matched.
type Verdict string

// Verdicts, in the order in which the rules are asked.
const (
	Matched        Verdict = "matched"
	Suspended      Verdict = "suspended"
	CrossNamespace Verdict = "cross-namespace references are blocked"
	OtherSource    Verdict = "no source selects the object"
	OtherSeverity  Verdict = "severity"
	OtherLabels    Verdict = "labels of the object"
	NotIncluded    Verdict = "inclusionList"
	Excluded       Verdict = "exclusionList"
	FilteredOut    Verdict = "eventFilter"
)

// Judgement is what one Alert says to an event.
type Judgement struct {
	Alert   *v1beta3.Alert
	Verdict Verdict
}

// AlertLookup finds the Alerts that may select an object.
type AlertLookup interface {
	BySource(kind, namespace, name string) ([]*v1beta3.Alert, error)
}

// ObjectLabels gives the labels of an object in the cluster, from a cache.
type ObjectLabels func(event.ObjectReference) (map[string]string, error)

// CompiledAlert is what is compiled of an Alert, once for each edit.
type CompiledAlert struct {
	inclusion, exclusion expr.Patterns
	// selectors has an entry for each source; nil for one without matchLabels, and one that selects nothing for
	// one whose labels are not valid.
	selectors []labels.Selector
	// filter is nil without spec.eventFilter, and for a broken one.
	filter *expr.Filter
	// message is nil without spec.message, and for a broken one.
	message *message.Template
}

// AlertCompiler compiles Alerts. It keeps what many of them share.
type AlertCompiler struct {
	regexps *expr.Regexps
	filters *expr.Compiler
}

// NewAlertCompiler returns an AlertCompiler.
func NewAlertCompiler() *AlertCompiler {
	return &AlertCompiler{regexps: expr.NewRegexps(), filters: expr.NewCompiler(expr.VarEvent)}
}

// Compile compiles the expressions of an Alert. The errors name the fields that have to be changed; what is broken
// matches nothing.
func (c *AlertCompiler) Compile(a *v1beta3.Alert) (CompiledAlert, error) {
	var compiled CompiledAlert
	var errs, more []error
	compiled.inclusion, errs = c.regexps.Patterns("spec.inclusionList", a.Spec.InclusionList)
	compiled.exclusion, more = c.regexps.Patterns("spec.exclusionList", a.Spec.ExclusionList)
	errs = append(errs, more...)
	compiled.selectors = make([]labels.Selector, len(a.Spec.EventSources))
	for i, source := range a.Spec.EventSources {
		if source.MatchLabels == nil {
			continue
		}
		selector, err := labels.ValidatedSelectorFromSet(source.MatchLabels)
		if err != nil {
			selector = labels.Nothing()
			errs = append(errs, fmt.Errorf("spec.eventSources[%d].matchLabels: %w", i, err))
		}
		compiled.selectors[i] = selector
	}
	if a.Spec.EventFilter != "" {
		var err error
		compiled.filter, err = c.filters.Filter("spec.eventFilter", a.Spec.EventFilter)
		errs = append(errs, err)
	}
	if a.Spec.Message != "" {
		var err error
		compiled.message, err = message.Compile("spec.message", a.Spec.Message)
		errs = append(errs, err)
	}
	return compiled, errors.Join(errs...)
}

// Matcher finds the Alerts that select an event. What it costs grows with the Alerts that name the event's object,
// not with those that exist.
type Matcher struct {
	alerts           AlertLookup
	labels           ObjectLabels
	compiled         *expr.Cache[CompiledAlert]
	compiler         *AlertCompiler
	noCrossNamespace bool
	record           Recorder
}

// NewMatcher returns a Matcher. With noCrossNamespace, Alerts select objects of their own namespace only.
func NewMatcher(alerts AlertLookup, objectLabels ObjectLabels, noCrossNamespace bool, record Recorder) *Matcher {
	return &Matcher{
		alerts: alerts, labels: objectLabels, compiled: expr.NewCache[CompiledAlert](), compiler: NewAlertCompiler(),
		noCrossNamespace: noCrossNamespace, record: record,
	}
}

// Match returns what each Alert that may select the event's object says to the event, whose metadata is cleaned.
func (m *Matcher) Match(e *event.Event) []Judgement {
	candidates, err := m.alerts.BySource(e.InvolvedObject.Kind, e.InvolvedObject.Namespace, e.InvolvedObject.Name)
	if err != nil {
		m.record.Problem(nil, ReasonInvalidConfig, fmt.Errorf("look up Alerts: %w", err))
		return nil
	}
	// All of them ask the same one.
	asked := filterable{Event: e}
	judgements := make([]Judgement, len(candidates))
	for i, alert := range candidates {
		judgements[i] = Judgement{alert, m.verdict(&asked, alert)}
	}
	return judgements
}

// verdict says whether one Alert selects the event.
func (m *Matcher) verdict(e *filterable, a *v1beta3.Alert) Verdict {
	if a.Spec.Suspend {
		return Suspended
	}
	// Asked before labels are looked up, so that nobody can probe the labels of a foreign namespace.
	if m.noCrossNamespace && e.InvolvedObject.Namespace != a.Namespace {
		return CrossNamespace
	}
	compiled := m.Compiled(a)
	if verdict := m.matchSources(e.Event, a, compiled); verdict != Matched {
		return verdict
	}
	if compiled.inclusion.Configured > 0 && !compiled.inclusion.MatchAny(e.Message) {
		return NotIncluded
	}
	if compiled.exclusion.MatchAny(e.Message) {
		return Excluded
	}
	if a.Spec.EventFilter != "" && !m.passesFilter(e, a, compiled.filter) {
		return FilteredOut
	}
	return Matched
}

// Compiled returns what is compiled of an Alert.
func (m *Matcher) Compiled(a *v1beta3.Alert) CompiledAlert {
	return m.compiled.Get(a, "", func() CompiledAlert {
		// What is broken has been reported on the Alert by its controller.
		compiled, _ := m.compiler.Compile(a)
		return compiled
	})
}

// Drop forgets an Alert that is gone.
func (m *Matcher) Drop(uid types.UID) { m.compiled.Drop(uid) }

// Check says what an edit of an Alert has to change.
func (m *Matcher) Check(a *v1beta3.Alert) error {
	_, err := m.compiler.Compile(a)
	return err
}

// matchSources looks for a source that selects the event's object, and returns how far the best one came. The object's
// labels are asked for once, and so is the problem reported once, with the first source that needs them: an Alert may have
// many sources, and each event asks all of them.
func (m *Matcher) matchSources(e *event.Event, a *v1beta3.Alert, compiled CompiledAlert) Verdict {
	verdict := OtherSource
	var found map[string]string
	asked, known := false, false
	for i, source := range a.Spec.EventSources {
		if !selects(a, source, e.InvolvedObject) {
			continue
		}
		if a.Spec.EventSeverity != v1beta3.EventSeverityInfo && a.Spec.EventSeverity != e.Severity {
			return OtherSeverity
		}
		selector := compiled.selectors[i]
		if selector == nil {
			return Matched
		}
		if !asked {
			var err error
			found, err = m.labels(e.InvolvedObject)
			asked, known = true, err == nil
			if err != nil {
				m.record.Problem(a, ReasonSourceFetchFailed, fmt.Errorf("get the labels of %s for spec.eventSources[%d]: %w", e.InvolvedObject, i, err))
			}
		}
		if known && selector.Matches(labels.Set(found)) {
			return Matched
		}
		verdict = OtherLabels
	}
	return verdict
}

// selects says whether a source names the object. Its apiVersion does not count.
func selects(a *v1beta3.Alert, source v1beta3.CrossNamespaceObjectReference, object event.ObjectReference) bool {
	return source.Kind == object.Kind &&
		cmp.Or(source.Namespace, a.Namespace) == object.Namespace &&
		(source.Name == index.AnyName || source.Name == object.Name)
}
