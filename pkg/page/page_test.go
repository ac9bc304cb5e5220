package page

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/hook"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

func object(name string) event.ObjectReference {
	return event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: name}
}

// accepted is an event that one of two Alerts selects.
func accepted(id, name, message string) dispatch.EventVerdict {
	alert := func(name string) *v1beta3.Alert {
		return &v1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: name, UID: types.UID(name)}}
	}
	return dispatch.EventVerdict{
		Result: dispatch.Accepted,
		Event:  &event.Event{ID: id, InvolvedObject: object(name), Severity: "error", Reason: "HealthCheckFailed", Message: message},
		Judgements: []dispatch.Judgement{
			{Alert: alert("chat"), Verdict: dispatch.Matched},
			{Alert: alert("pager"), Verdict: dispatch.OtherSeverity},
		},
	}
}

func outcome(id, name string, result dispatch.Result, err error) dispatch.Outcome {
	o := dispatch.Outcome{
		EventID: id, Object: object(name), Result: result, Type: "slack", Attempts: 1, Age: 30 * time.Millisecond, Err: err,
		Alert: provider.Object{Namespace: "apps", Name: "chat", UID: "chat"}, Provider: provider.Object{Namespace: "apps", Name: "slack", UID: "slack"},
	}
	if err != nil {
		o.Reason = provider.ReasonAuth
	}
	return o
}

func attempted(id, name string, number int, err error) dispatch.Attempt {
	o := outcome(id, name, dispatch.Sent, nil)
	return dispatch.Attempt{EventID: id, Object: o.Object, Alert: o.Alert, Provider: o.Provider, Type: o.Type, Number: number, Took: 20 * time.Millisecond, Err: err}
}

// receivers of the tests, whose paths must not be shown.
func receivers() ([]*v1.Receiver, error) {
	condition := func(status metav1.ConditionStatus, message string) []metav1.Condition {
		return []metav1.Condition{{Type: notification.ConditionReady, Status: status, Message: message}}
	}
	return []*v1.Receiver{
		{
			ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "broken", UID: "broken"}, Spec: v1.ReceiverSpec{Type: "gitlab"},
			Status: v1.ReceiverStatus{Conditions: condition("False", "there is no Secret 'apps/token'")},
		},
		{
			ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "github", UID: "github"}, Spec: v1.ReceiverSpec{Type: "github"},
			Status: v1.ReceiverStatus{WebhookPath: "/hook/planted", Conditions: condition("True", "Receiver initialized for path: /hook/planted")},
		},
		{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "idle", UID: "idle"}, Spec: v1.ReceiverSpec{Type: "generic", Suspend: true}},
	}, nil
}

// get asks for a path.
func get(t *testing.T, l *Ledger, path string) *httptest.ResponseRecorder {
	t.Helper()
	h := NewHandler(Options{
		Ledger: l, Receivers: receivers,
		Backlogs: func(int) []dispatch.Backlog {
			return []dispatch.Backlog{{
				Provider: provider.Object{Namespace: "apps", Name: "slack"}, Waiting: 7, Running: 1,
				Oldest: noon.Add(-time.Minute), PausedUntil: noon.Add(90 * time.Second),
			}}
		},
	})
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// filled is a Ledger with something of everything.
func filled() *Ledger {
	l := NewLedger(func() time.Time { return noon })
	l.Event(accepted("1", "shop", "it works"))
	l.Attempt(attempted("1", "shop", 1, errors.New("503 Service Unavailable")))
	l.Attempt(attempted("1", "shop", 2, nil))
	second := outcome("1", "shop", dispatch.Sent, nil)
	second.Attempts = 2
	l.Outcome(second)
	l.Event(accepted("2", "blog", "boom"))
	l.Attempt(attempted("2", "blog", 1, errors.New("401 Unauthorized")))
	l.Outcome(outcome("2", "blog", dispatch.Failed, errors.New("401 Unauthorized")))
	l.Event(accepted("3", "wiki", "slow"))
	l.Attempt(attempted("3", "wiki", 1, errors.New("timeout")))
	l.Event(dispatch.EventVerdict{Result: dispatch.Repeated, Event: &event.Event{InvolvedObject: object("shop"), Message: "again"}})
	l.Event(dispatch.EventVerdict{Result: dispatch.Invalid, Err: errors.New(`"severity" is not a string`)})
	l.Call(hook.Call{UID: "github", Outcome: hook.NotAuthentic, Reason: "the signature does not match", At: noon, Took: 80 * time.Microsecond})
	return l
}

// data returns the answer for a query.
func data(t *testing.T, l *Ledger, query string) string {
	t.Helper()
	w := get(t, l, DataPath+query)
	if w.Code != http.StatusOK || w.Header().Get("Content-Type") != "application/json" || !json.Valid(w.Body.Bytes()) {
		t.Fatalf("%d %s: %s", w.Code, w.Header().Get("Content-Type"), w.Body)
	}
	return w.Body.String()
}

func TestData(t *testing.T) {
	page := data(t, filled(), "")
	for _, want := range []string{
		`"id":"1-chat","at":"2026-11-26T12:00:00Z","object":"Kustomization/apps/shop","alert":"apps/chat","provider":"apps/slack","type":"slack"`,
		`"result":"sent","reason":"","tookMilliseconds":30,"error":"","count":2`,
		`{"at":"2026-11-26T12:00:00Z","tookMilliseconds":20,"error":"503 Service Unavailable"}`,
		`"result":"failed","reason":"auth"`, `"result":"sending"`,
		`"result":"accepted","object":"Kustomization/apps/shop","severity":"error","reason":"HealthCheckFailed","message":"it works"`,
		`"asked":2,"matches":1,"unlisted":0`, `{"alert":"apps/chat","verdict":"matched"}`, `{"alert":"apps/pager","verdict":"severity"}`,
		`"result":"repeated"`, `"verdicts":[],"error":"\"severity\" is not a string"`,
		`{"provider":"apps/slack","waiting":7,"running":1,"oldestSeconds":60,"pausedSeconds":90}`,
		`"state":"Ready: False","detail":"there is no Secret`, `"state":"suspended","detail":"","calls":[]`,
		`"outcome":"not_authentic","reason":"the signature does not match","tookMilliseconds":0.08`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the data do not say %s", want)
		}
	}
	for _, never := range []string{"planted", "null"} {
		if strings.Contains(page, never) {
			t.Errorf("the data say %q", never)
		}
	}
	// Receivers that were called last go first.
	if strings.Index(page, "apps/github") > strings.Index(page, "apps/broken") {
		t.Error("the Receiver that was called is not the first")
	}
}

// TestHeaders looks for the headers that keep the browser to what comes from here, and for what they forbid.
func TestHeaders(t *testing.T) {
	for _, path := range []string{Path, DataPath, Path + "/page.js"} {
		w := get(t, filled(), path)
		for _, header := range []string{"Content-Security-Policy", "X-Content-Type-Options", "Cache-Control"} {
			if w.Header().Get(header) == "" {
				t.Errorf("%s: no %s", path, header)
			}
		}
		for _, forbidden := range []string{"http://", "https://", "<style", "style=", "<script>", "onclick", "innerHTML"} {
			if strings.Contains(w.Body.String(), forbidden) {
				t.Errorf("%s has %s, which the policy forbids or data make dangerous", path, forbidden)
			}
		}
	}
}

// TestMatchesOfManyAlerts has more Alerts asked than are remembered, those that match last.
func TestMatchesOfManyAlerts(t *testing.T) {
	for _, matches := range []int{2, maxVerdicts + 1} {
		want := fmt.Sprintf(`"asked":%d,"matches":%d,"unlisted":%d`, maxVerdicts+matches, matches, matches)
		l := NewLedger(func() time.Time { return noon })
		v := accepted("1", "shop", "boom")
		matching, refusing := v.Judgements[0], v.Judgements[1]
		v.Judgements = slices.Concat(slices.Repeat([]dispatch.Judgement{refusing}, maxVerdicts), slices.Repeat([]dispatch.Judgement{matching}, matches))
		l.Event(v)
		page := data(t, l, "")
		if !strings.Contains(page, want) {
			t.Errorf("the data do not say %s", want)
		}
		if listed := strings.Count(page, `{"alert":"apps/chat","verdict":"matched"}`); listed != min(matches, maxVerdicts) {
			t.Errorf("%d of %d matches are listed", listed, matches)
		}
	}
}

func TestFilter(t *testing.T) {
	for query, want := range map[string][]bool{
		"":                         {true, true, true},
		"?object=SHOP":             {true, false, false},
		"?object=apps/":            {true, true, true},
		"?object=nothing":          {false, false, false},
		"?failed=1":                {false, true, false},
		"?object=shop&failed=1":    {false, false, false},
		"?object=%3Cscript%3E":     {false, false, false},
		"?object=kustomization%2F": {true, true, true},
	} {
		page := data(t, filled(), query)
		for i, id := range []string{"1-chat", "2-chat", "3-chat"} {
			if strings.Contains(page, `"id":"`+id+`"`) != want[i] {
				t.Errorf("%s: %s is shown: %t", query, id, !want[i])
			}
		}
	}
	if code := get(t, filled(), DataPath+"?object="+url.QueryEscape(strings.Repeat("x", maxObject+1))).Code; code != http.StatusBadRequest {
		t.Errorf("a filter without end: %d", code)
	}
}

func TestAssets(t *testing.T) {
	for path, contentType := range map[string]string{"": "text/html", "/page.css": "text/css", "/page.js": "text/javascript"} {
		w := get(t, NewLedger(time.Now), Path+path)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Type"), contentType) || w.Body.Len() == 0 {
			t.Errorf("%s: %d %s", path, w.Code, w.Header().Get("Content-Type"))
		}
	}
	if w := get(t, NewLedger(time.Now), Path+"/other"); w.Code != http.StatusNotFound {
		t.Errorf("what is not there: %d", w.Code)
	}
}

// TestFailuresOutliveSuccesses checks that the one failure is found among thousands of successes.
func TestFailuresOutliveSuccesses(t *testing.T) {
	l := filled()
	for i := range 3 * maxDeliveries {
		id := fmt.Sprint("more-", i)
		l.Attempt(attempted(id, "other", 1, nil))
		l.Outcome(outcome(id, "other", dispatch.Sent, nil))
	}
	if page := data(t, l, "?object=blog"); strings.Contains(page, `"result":"failed"`) {
		t.Error("all successes are remembered")
	}
	page := data(t, l, "?failed=1")
	if !strings.Contains(page, `"id":"2-chat"`) || !strings.Contains(page, "401") {
		t.Error("the failure is forgotten")
	}
}

// TestBounded fills the Ledger with what is long and never ends.
func TestBounded(t *testing.T) {
	l := NewLedger(time.Now)
	long := func() string { return strings.Repeat("x", 1<<20) }
	fill := func(n int) {
		for i := range n {
			id := fmt.Sprint(n, "-", i)
			v := accepted(id, "shop", long())
			v.Event.InvolvedObject.Name, v.Event.Reason = long(), long()
			for range 3 * maxVerdicts {
				v.Judgements = append(v.Judgements, v.Judgements[0])
			}
			l.Event(v)
			for number := range 3 * maxAttempts {
				l.Attempt(attempted(id, "shop", number+1, errors.New(long())))
			}
			if i%2 == 0 { // The others never end.
				l.Outcome(outcome(id, "shop", dispatch.Failed, errors.New(long())))
			}
			l.Call(hook.Call{UID: types.UID(id), Reason: long()})
		}
	}
	before := heap()
	fill(40)
	// In full, every slot is like these.
	perEvent := float64(heap()-before) / 40
	if limit := 40_000.0; perEvent > limit {
		t.Errorf("%.0f bytes for an event of some megabytes, want at most %.0f", perEvent, limit)
	}
	if len(l.open) != 20 {
		t.Errorf("%d deliveries are open, want 20", len(l.open))
	}
	for i := range 2 * maxDeliveries {
		l.Attempt(attempted(fmt.Sprint("open-", i), "shop", 1, nil))
	}
	if len(l.open) > maxDeliveries {
		t.Errorf("%d deliveries are open, more than are remembered", len(l.open))
	}
	for i := range maxReceivers + 10 {
		l.Call(hook.Call{UID: types.UID(fmt.Sprint("receiver-", i))})
	}
	if len(l.calls) != maxReceivers {
		t.Errorf("%d Receivers are remembered", len(l.calls))
	}
	l.Drop("receiver-0")
	if len(l.calls) != maxReceivers-1 {
		t.Error("a Receiver that is gone is remembered")
	}
}

func heap() uint64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return stats.HeapAlloc
}

// BenchmarkLedger is what an event with one notification costs.
func BenchmarkLedger(b *testing.B) {
	l := NewLedger(time.Now)
	v, a, o := accepted("1", "shop", "boom"), attempted("1", "shop", 1, nil), outcome("1", "shop", dispatch.Sent, nil)
	b.ReportAllocs()
	for b.Loop() {
		l.Event(v)
		l.Attempt(a)
		l.Outcome(o)
	}
}
