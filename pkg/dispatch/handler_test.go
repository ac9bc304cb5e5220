package dispatch

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/ratelimit"
	"github.com/notification-controller/notification-controller/pkg/server"
)

// alertList gives the same Alerts for every object of the kind Kustomization.
type alertList []*v1beta3.Alert

func (l alertList) BySource(kind, _, _ string) ([]*v1beta3.Alert, error) {
	if kind != "Kustomization" {
		return nil, nil
	}
	return l, nil
}

// flow is the outbound flow with one Alert and a sender that keeps what it gets.
type flow struct {
	handler  *Handler
	recorded *outcomes
	ready    bool
	mu       sync.Mutex
	sent     []*provider.Notification
}

func newFlow() *flow {
	recorded := &outcomes{}
	f := &flow{ready: true, recorded: recorded}
	row := func(name string) (provider.Type, bool) { return provider.Type{Name: name}, true }
	queue, _ := testQueue(DefaultQueueOptions(), func(_ context.Context, n *provider.Notification) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.sent = append(f.sent, n)
		return nil
	})
	f.handler = &Handler{
		Ready:   func() bool { return f.ready },
		Windows: ratelimit.NewWindows(time.Minute, 100),
		Matcher: NewMatcher(alertList{testAlert()}, nil, false, recorded),
		Router:  &Router{Providers: providers{"provider": testProvider()}, Types: row, Record: recorded},
		Queue:   queue,
		Record:  recorded,
	}
	return f
}

func (f *flow) post(body string) *http.Response {
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body)))
	return w.Result()
}

const shopEvent = `{"involvedObject":{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","namespace":"apps","name":"shop"},"severity":"info","message":"done",
"metadata":{"kustomize.toolkit.fluxcd.io/revision":"main","kustomize.toolkit.fluxcd.io/token":"7","foreign":"x"}}`

func TestHandlerStatus(t *testing.T) {
	tests := []struct {
		name string
		body string
		want int
		text string
	}{
		{"matched", shopEvent, 202, ""},
		{"matched by nothing", `{"involvedObject":{"kind":"Bucket"}}`, 202, ""},
		{"empty object", `{}`, 202, ""},
		{"null", `null`, 202, ""},
		{"empty", ``, 400, "not valid JSON"},
		{"not JSON", `{"message"`, 400, "not valid JSON"},
		{"trailing data", `{} {}`, 400, "not valid JSON"},
		{"array", `[]`, 400, "not an object"},
		{"wrong type", `{"metadata":{"a":1}}`, 400, `"metadata`},
		{"timestamp of 2020", `{"timestamp":1600327631.92}`, 400, `"timestamp"`},
		{"long name", `{"involvedObject":{"name":"` + strings.Repeat("a", 1025) + `"}}`, 400, `"involvedObject.name": longer than 1024 bytes`},
		{"at the limit", `{"message":"` + strings.Repeat("a", server.MaxBody-14) + `"}`, 202, ""},
		{"over the limit", `{"message":"` + strings.Repeat("a", server.MaxBody-13) + `"}`, 413, "longer than"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			resp := newFlow().post(tt.body)
			body, err := io.ReadAll(resp.Body)
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.want || !strings.Contains(string(body), tt.text) {
				t.Errorf("%d %q, want %d with %q", resp.StatusCode, body, tt.want, tt.text)
			}
			if limited := resp.Header.Get("X-RateLimit-Limit") != ""; limited != (tt.want == 202) {
				t.Errorf("headers %v", resp.Header)
			}
		})
	}
}

// TestHandlerRecordsEvents checks that each request is recorded once, as what it was answered.
func TestHandlerRecordsEvents(t *testing.T) {
	f := newFlow()
	f.handler.Matcher.alerts = alertList{testAlert(), testAlert(func(a *v1beta3.Alert) { a.Spec.Suspend = true })}
	f.ready = false
	f.post(shopEvent)
	f.ready = true
	f.post(shopEvent)
	f.post(shopEvent)
	f.post(`[]`)
	f.post(strings.Repeat(" ", server.MaxBody+1))
	var results []EventResult
	for _, v := range f.recorded.events {
		results = append(results, v.Result)
	}
	if want := []EventResult{NotReady, Accepted, Repeated, Invalid, Unreadable}; !slices.Equal(results, want) {
		t.Fatalf("recorded %q, want %q", results, want)
	}
	accepted := f.recorded.events[1]
	if accepted.Event.InvolvedObject.Name != "shop" || accepted.Event.ID == "" || accepted.Matches() != 1 ||
		len(accepted.Judgements) != 2 || accepted.Judgements[1].Verdict != Suspended {
		t.Errorf("recorded %+v", accepted)
	}
}

func TestHandlerUnknownLength(t *testing.T) {
	f := newFlow()
	r := httptest.NewRequest(http.MethodPost, "/", io.LimitReader(zeros{}, server.MaxBody+1))
	r.ContentLength = -1
	w := httptest.NewRecorder()
	f.handler.ServeHTTP(w, r)
	if w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("status %d", w.Code)
	}
}

type zeros struct{}

func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestHandlerRepetition(t *testing.T) {
	f := newFlow()
	if got := f.post(shopEvent).StatusCode; got != 202 {
		t.Fatalf("first: %d", got)
	}
	again := f.post(shopEvent)
	if again.StatusCode != 429 {
		t.Errorf("again: %d", again.StatusCode)
	}
	reset := again.Header.Get("X-RateLimit-Reset")
	if _, err := http.ParseTime(reset); err != nil || again.Header.Get("Retry-After") != reset {
		t.Errorf("headers %v", again.Header)
	}
	if got := f.post(strings.Replace(shopEvent, `token":"7`, `token":"8`, 1)).StatusCode; got != 202 {
		t.Errorf("with another token: %d", got)
	}
	f.handler.Queue.Drain(t.Context())
	if len(f.sent) != 2 {
		t.Errorf("%d sent, want 2", len(f.sent))
	}
}

func TestHandlerNotReady(t *testing.T) {
	f := newFlow()
	f.ready = false
	resp := f.post(shopEvent)
	if resp.StatusCode != 503 || resp.Header.Get("Retry-After") == "" {
		t.Errorf("status %d, headers %v", resp.StatusCode, resp.Header)
	}
	f.ready = true
	if got := f.post(shopEvent).StatusCode; got != 202 {
		t.Errorf("the refused event took the window: %d", got)
	}
}

func TestHandlerSkipsWhatTheTypeSkips(t *testing.T) {
	f := newFlow()
	recorded := &outcomes{}
	f.handler.Router.Record = recorded
	f.handler.Router.Types = func(name string) (provider.Type, bool) {
		return provider.Type{Name: name, Skip: func(n *provider.Notification) bool { return n.Event.Message == "done" }}, true
	}
	f.post(shopEvent)
	f.post(strings.Replace(shopEvent, "done", "failed", 1))
	f.handler.Queue.Drain(t.Context())
	if len(f.sent) != 1 || f.sent[0].Event.Message != "failed" || recorded.count(Skipped, SkippedByType) != 1 {
		t.Errorf("sent %d, outcomes %+v", len(f.sent), recorded.all)
	}
}

// TestHandlerSkipsProgressOfIncidents finds work in progress that counts as sent where it changes no alert, and as a
// change of severity between two failures.
func TestHandlerSkipsProgressOfIncidents(t *testing.T) {
	for value, want := range map[string]int{notification.ResolveEnabled: 1, "": 0} {
		f := newFlow()
		p := testProvider()
		p.Annotations = map[string]string{notification.ResolveAnnotation: value}
		f.handler.Router.Providers = providers{"provider": p}
		f.handler.Router.Types = func(name string) (provider.Type, bool) {
			return provider.Type{Name: name, SkipResolving: (*provider.Notification).IsProgressing}, true
		}
		f.handler.Matcher.alerts = alertList{testAlert(withRepeatInterval(time.Hour))}
		f.handler.Router.Repeats, _ = testRepeats(10)
		failure := strings.NewReplacer(`"info"`, `"error","reason":"Failed"`, "done", "failed %d").Replace(shopEvent)
		f.post(fmt.Sprintf(failure, 1))
		f.post(strings.Replace(shopEvent, `"info"`, `"info","reason":"Progressing"`, 1))
		f.post(fmt.Sprintf(failure, 2))
		f.handler.Queue.Drain(t.Context())
		skipped, repeated := f.recorded.count(Skipped, SkippedByType), f.recorded.count(Skipped, SkippedRepeat)
		if skipped != want || repeated != want || len(f.sent) != 3-2*want {
			t.Errorf("annotation %q: %d skipped, %d held back, %d sent", value, skipped, repeated, len(f.sent))
		}
	}
}

func TestHandlerOutlivesTheCaller(t *testing.T) {
	f := newFlow()
	ctx, cancel := context.WithCancel(t.Context())
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, "/", strings.NewReader(shopEvent))
	f.handler.ServeHTTP(httptest.NewRecorder(), r)
	cancel()
	f.handler.Queue.Drain(t.Context())
	if len(f.sent) != 1 {
		t.Fatalf("%d sent", len(f.sent))
	}
	n := f.sent[0]
	if n.Event.ID == "" || n.Event.Metadata["revision"] != "main" || len(n.Event.Metadata) != 1 {
		t.Errorf("notification %+v", n)
	}
}

func BenchmarkHandler(b *testing.B) {
	f := newFlow()
	f.handler.Windows = ratelimit.NewWindows(time.Nanosecond, 1)
	f.handler.Queue, _ = testQueue(DefaultQueueOptions(), func(context.Context, *provider.Notification) error { return nil })
	b.ReportAllocs()
	for b.Loop() {
		f.post(shopEvent)
	}
}
