package dispatch

import (
	"fmt"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

func withRepeatInterval(d time.Duration) func(*v1beta3.Alert) {
	return func(a *v1beta3.Alert) { a.Spec.RepeatInterval = &metav1.Duration{Duration: d} }
}

// testClock is a time that tests move.
type testClock struct{ time.Time }

func (c *testClock) now() time.Time { return c.Time }

func (c *testClock) pass(d time.Duration) { c.Time = c.Add(d) }

func testRepeats(limit int) (*Repeats, *testClock) {
	clock := &testClock{time.Date(2026, 11, 26, 0, 0, 0, 0, time.UTC)}
	return NewRepeats(limit, clock.now), clock
}

// happening is a notification about an object as Alerts send them.
func happening(object, severity, reason, revision string) *provider.Notification {
	n := &provider.Notification{Event: event.Event{
		InvolvedObject: event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: object},
		Severity:       severity, Reason: reason,
	}}
	if revision != "" {
		n.SetMetadata(event.KeyRevision, revision)
	}
	return n
}

func TestRepeats(t *testing.T) {
	const hour = time.Hour
	type step struct {
		// after is the time since the step before.
		after                              time.Duration
		object, severity, reason, revision string
		// want is what the metadata say of those held back, "0" if nothing; "held" if this one is.
		want string
	}
	failed := step{0, "shop", "error", "HealthCheckFailed", "main@sha1:a", "held"}
	change := func(change func(*step)) step {
		s := failed
		change(&s)
		return s
	}
	first := change(func(s *step) { s.want = "0" })
	for _, test := range []struct {
		name  string
		steps []step
	}{
		{"the same", []step{first, failed, failed}},
		{"after the interval", []step{first, failed, failed, change(func(s *step) { s.after, s.want = hour, "2" }), failed}},
		{"the interval begins with what is sent", []step{first,
			change(func(s *step) { s.after = hour - 1 }), change(func(s *step) { s.after, s.want = 1, "1" }), change(func(s *step) { s.after = hour - 1 })}},
		{"other object", []step{first, failed, change(func(s *step) { s.object, s.want = "other", "0" }), failed}},
		{"other reason", []step{first, failed, change(func(s *step) { s.reason, s.want = "BuildFailed", "1" }), change(func(s *step) { s.reason = "BuildFailed" }), failed}},
		{"other severity and back", []step{first, failed, change(func(s *step) { s.severity, s.want = "info", "1" }), first, failed}},
		{"recovery and back", []step{first, failed,
			change(func(s *step) { s.severity, s.reason, s.want = "info", "ReconciliationSucceeded", "1" }), first, failed}},
		{"other revision and back", []step{first, failed, change(func(s *step) { s.revision, s.want = "main@sha1:b", "1" }), first, failed}},
		{"no revision is no other", []step{first, change(func(s *step) { s.revision = "" }), failed}},
		{"the first revision is no other", []step{change(func(s *step) { s.revision, s.want = "", "0" }), failed,
			change(func(s *step) { s.revision, s.want = "main@sha1:b", "1" })}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r, clock := testRepeats(10)
			alert := testAlert(withRepeatInterval(hour))
			for i, s := range test.steps {
				clock.pass(s.after)
				n := happening(s.object, s.severity, s.reason, s.revision)
				got := "held"
				if r.Pass(n, alert) {
					got = "0"
				}
				if suppressed, ok := n.Event.Metadata[event.KeySuppressed]; ok {
					got = suppressed
				}
				if got != s.want {
					t.Errorf("step %d: %s, want %s", i, got, s.want)
				}
			}
		})
	}
}

// TestRepeatsOfOtherCommits has a chart of one version come from several commits, and a change request get another.
func TestRepeatsOfOtherCommits(t *testing.T) {
	for _, key := range []string{event.KeyOriginRevision, event.KeyCommit, event.KeyChangeRequest} {
		r, _ := testRepeats(10)
		alert := testAlert(withRepeatInterval(time.Hour))
		for i, step := range []struct {
			value string
			want  bool
		}{{"1", true}, {"1", false}, {"2", true}, {"2", false}, {"", false}, {"2", false}, {"1", true}} {
			n := happening("shop", "info", "UpgradeSucceeded", "1.2.3")
			if step.value != "" {
				n.SetMetadata(key, step.value)
			}
			if r.Pass(n, alert) != step.want {
				t.Errorf("%s, step %d: %t, want %t", key, i, !step.want, step.want)
			}
		}
	}
}

func TestRepeatsHoldNothingBack(t *testing.T) {
	r, _ := testRepeats(10)
	var none *Repeats
	for range 3 {
		if !r.Pass(happening("shop", "error", "a", ""), testAlert()) || !r.Pass(happening("shop", "error", "a", ""), testAlert(withRepeatInterval(0))) {
			t.Error("held back without an interval")
		}
		if !none.Pass(happening("shop", "error", "a", ""), testAlert(withRepeatInterval(time.Hour))) {
			t.Error("held back by nothing")
		}
	}
}

func TestRepeatsAreBounded(t *testing.T) {
	r, _ := testRepeats(10)
	for i := range 100 {
		alert := testAlert(withRepeatInterval(time.Hour), func(a *v1beta3.Alert) { a.UID = types.UID(fmt.Sprint(i % 5)) })
		for reason := range 2 * maxReasons {
			r.Pass(happening(fmt.Sprint(i), "error", fmt.Sprint(reason), ""), alert)
			if last := r.of(r.key(alert.UID, happening(fmt.Sprint(i), "", "", "").Event.InvolvedObject)); len(last.reasons) > maxReasons {
				t.Fatalf("%d reasons of one object", len(last.reasons))
			}
		}
	}
	count := func() int {
		n := 0
		for _, objects := range r.objects {
			n += len(objects)
		}
		return n
	}
	if r.told.Len() != 10 || count() != 10 {
		t.Errorf("%d objects are remembered, %d of Alerts, want 10", r.told.Len(), count())
	}
	r.Drop("1")
	if r.told.Len() != 8 || count() != 8 || r.objects["1"] != nil {
		t.Errorf("%d objects are remembered, %d of Alerts, after one of five Alerts is gone", r.told.Len(), count())
	}
	for i := range 5 {
		r.Drop(types.UID(fmt.Sprint(i)))
	}
	if r.told.Len()+len(r.objects) != 0 {
		t.Error("dropped Alerts are remembered")
	}
}

// TestRepeatsOfWhatWasLost finds an error that nobody hears of for an hour because the first one could not be sent.
func TestRepeatsOfWhatWasLost(t *testing.T) {
	r, _ := testRepeats(10)
	alert := testAlert(withRepeatInterval(time.Hour))
	pass := func() bool { return r.Pass(happening("shop", "error", "a", ""), alert) }
	outcome := Outcome{Object: happening("shop", "", "", "").Event.InvolvedObject, Alert: alertObject(alert)}
	pass()
	for _, result := range []Result{Sent, Skipped} {
		outcome.Result = result
		r.Outcome(outcome)
		if pass() {
			t.Errorf("told again after it was %s", result)
		}
	}
	for _, result := range []Result{Failed, Dropped} {
		outcome.Result = result
		r.Outcome(outcome)
		if !pass() || pass() {
			t.Errorf("not told again, once, after it was %s", result)
		}
	}
	outcome = outcome.skipped(SkippedSuspended)
	r.Outcome(outcome)
	if pass() {
		t.Error("told again after another event that was not queued, since the Provider was suspended")
	}
	outcome.Queued = true
	r.Outcome(outcome)
	if !pass() || pass() {
		t.Error("not told again, once, after its Provider was suspended while it waited")
	}
}

// TestRepeatsCountWhatWasLost has the notification fail that tells how many were held back.
func TestRepeatsCountWhatWasLost(t *testing.T) {
	for result, want := range map[Result]int{Sent: 1, Skipped: 1, Failed: 4, Dropped: 4} {
		r, _ := testRepeats(10)
		alert := testAlert(withRepeatInterval(time.Hour))
		pass := func(reason string) *provider.Notification {
			n := happening("shop", "error", reason, "")
			n.Alert = alertObject(alert)
			r.Pass(n, alert)
			return n
		}
		for range 4 {
			pass("a")
		}
		carrier := pass("b")
		for _, other := range []string{"c", "d"} {
			n := pass(other) // On its way at the same time, and sent.
			r.Outcome((&delivery{notification: n}).outcome().skipped(""))
		}
		o := (&delivery{notification: carrier}).outcome()
		o.Result = result
		pass("b")
		r.Outcome(o)
		if n := pass("e"); carrier.Suppressed != 3 || n.Suppressed != want || n.Event.Metadata[event.KeySuppressed] != fmt.Sprint(want) {
			t.Errorf("%s: %d are told of, then %d, want 3 and %d", result, carrier.Suppressed, n.Suppressed, want)
		}
	}
}

// TestRepeatInterval sends an error 200 times under changing request ids, and then the recovery.
func TestRepeatInterval(t *testing.T) {
	f := newFlow()
	f.handler.Matcher.alerts = alertList{testAlert(withRepeatInterval(time.Hour), withMessage("{{.Reason}} ({{.Metadata.suppressed}})"))}
	f.handler.Router.Compiled = f.handler.Matcher.Compiled
	f.handler.Router.Repeats, _ = testRepeats(10)
	failure := strings.NewReplacer(`"info"`, `"error"`, "done", "request %d: denied", `"severity"`, `"reason":"Failed","severity"`).Replace(shopEvent)
	for i := range 200 {
		if got := f.post(fmt.Sprintf(failure, i)).StatusCode; got != 202 {
			t.Fatalf("status %d", got)
		}
	}
	f.post(strings.Replace(shopEvent, `"severity"`, `"reason":"Succeeded","severity"`, 1))
	f.handler.Queue.Drain(t.Context())

	var texts []string
	for _, n := range f.sent {
		texts = append(texts, n.Event.Message)
	}
	if got := strings.Join(texts, ", "); got != "Failed (), Succeeded (199)" && got != "Succeeded (199), Failed ()" {
		t.Errorf("sent %q", got)
	}
	matches := 0
	for _, v := range f.recorded.events {
		matches += v.Matches()
	}
	if skipped := f.recorded.count(Skipped, SkippedRepeat); matches != 201 || skipped != 199 {
		t.Errorf("%d matches, %d held back", matches, skipped)
	}
}
