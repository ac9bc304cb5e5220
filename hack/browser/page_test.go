package browser

import (
	"context"
	"errors"
	"fmt"
	"net/http/httptest"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/dispatch"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/hook"
	"github.com/notification-controller/notification-controller/pkg/page"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// screenshots is where they are kept, beside the binaries.
const screenshots = "../../bin/screenshots"

// browser opens the page with some history in a window of the given width. What the page complains about, or loads from
// elsewhere, fails the test.
func browser(t *testing.T, width int64) (context.Context, *page.Ledger, string) {
	t.Helper()
	chromium, err := exec.LookPath("chromium")
	if err != nil {
		if os.Getenv("CI") != "" {
			t.Fatal("there is no Chromium, which .ci/run installs")
		}
		t.Skip("there is no Chromium: make browser installs it")
	}
	ledger := page.NewLedger(time.Now)
	history(ledger)
	server := httptest.NewServer(page.NewHandler(page.Options{Ledger: ledger, Backlogs: backlogs, Receivers: receivers}))
	t.Cleanup(server.Close)

	options := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium), chromedp.NoSandbox,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-component-update", true), chromedp.WindowSize(int(width), 900))
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	ctx, cancel := chromedp.NewContext(allocator)
	t.Cleanup(cancel)
	ctx, cancel = context.WithTimeout(ctx, 2*time.Minute)
	t.Cleanup(cancel)
	watch(t, ctx, server.URL)
	run(t, ctx, log.Enable(), network.Enable(), emulation.SetDeviceMetricsOverride(width, 900, 1, width < 600),
		chromedp.Navigate(server.URL+page.Path), chromedp.WaitVisible("#live"))
	return ctx, ledger, server.URL
}

// watch fails the test for complaints on the console, broken rules of the content security policy among them, and for
// what is asked of any other server.
func watch(t *testing.T, ctx context.Context, home string) {
	var mu sync.Mutex
	var complaints []string
	complain := func(format string, args ...any) {
		mu.Lock()
		defer mu.Unlock()
		complaints = append(complaints, fmt.Sprintf(format, args...))
	}
	chromedp.ListenTarget(ctx, func(e any) {
		switch e := e.(type) {
		case *log.EventEntryAdded:
			// The browser asks for an icon by itself.
			if !strings.HasSuffix(e.Entry.URL, "/favicon.ico") {
				complain("console: %s", e.Entry.Text)
			}
		case *runtime.EventExceptionThrown:
			complain("exception: %s", e.ExceptionDetails.Text)
		case *network.EventRequestWillBeSent:
			if !strings.HasPrefix(e.Request.URL, home) {
				complain("asked for %s", e.Request.URL)
			}
		}
	})
	t.Cleanup(func() {
		mu.Lock()
		defer mu.Unlock()
		for _, complaint := range complaints {
			t.Error(complaint)
		}
	})
}

func run(t *testing.T, ctx context.Context, actions ...chromedp.Action) {
	t.Helper()
	if err := chromedp.Run(ctx, actions...); err != nil {
		t.Fatal(err)
	}
}

// is waits until an expression of JavaScript is true.
func is(t *testing.T, ctx context.Context, expression string) {
	t.Helper()
	if err := chromedp.Run(ctx, chromedp.Poll(expression, nil, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
		t.Fatalf("%s: %v", expression, err)
	}
}

func screenshot(t *testing.T, ctx context.Context, name string) {
	t.Helper()
	var png []byte
	run(t, ctx, chromedp.FullScreenshot(&png, 100))
	if err := os.MkdirAll(screenshots, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(screenshots, name+".png"), png, 0o644); err != nil {
		t.Fatal(err)
	}
}

// TestKeyboard does without a mouse what one does with the page.
func TestKeyboard(t *testing.T) {
	ctx, ledger, _ := browser(t, 1200)
	// The first stop leads past the header.
	run(t, ctx, chromedp.KeyEvent(kb.Tab))
	is(t, ctx, `document.activeElement.className === "skip" && document.activeElement.getBoundingClientRect().left >= 0`)
	run(t, ctx, chromedp.KeyEvent(kb.Enter))
	is(t, ctx, `document.activeElement.id === "deliveries"`)
	run(t, ctx, chromedp.KeyEvent(kb.Tab))
	is(t, ctx, `document.activeElement.tagName === "SUMMARY"`)
	run(t, ctx, chromedp.KeyEvent(kb.Enter))
	is(t, ctx, `document.activeElement.parentElement.open`)

	// What is open, and where one is, stays over an update.
	run(t, ctx, chromedp.Evaluate(`window.reading = document.activeElement.parentElement.id`, nil))
	add(ledger, "new", "fresh", dispatch.Sent, nil)
	is(t, ctx, `document.body.innerText.includes("Kustomization/apps/fresh")`)
	is(t, ctx, `document.activeElement.parentElement.id === window.reading && document.activeElement.parentElement.open`)

	// Typed and entered in the filter.
	run(t, ctx, chromedp.Focus("#object"), chromedp.KeyEvent("BLOG"), chromedp.KeyEvent(kb.Enter), chromedp.WaitVisible(`a[href="/status"]`))
	is(t, ctx, `document.querySelectorAll("[id^='d-']").length === 1 && document.body.innerText.includes("failed: auth")`)
}

// TestLive switches the updates off and on.
func TestLive(t *testing.T) {
	ctx, ledger, _ := browser(t, 1200)
	run(t, ctx, chromedp.Click("#live"))
	is(t, ctx, `document.getElementById("live").textContent.endsWith("off")`)
	add(ledger, "1x", "unseen", dispatch.Sent, nil)
	// What the timer does.
	is(t, ctx, `update().then(() => !document.body.innerText.includes("unseen"))`)
	run(t, ctx, chromedp.Click("#live"))
	is(t, ctx, `document.body.innerText.includes("unseen")`)
}

// TestWidths looks for what is wider than the window, and keeps a picture of each.
func TestWidths(t *testing.T) {
	for width, name := range map[int64]string{375: "phone", 768: "tablet", 1200: "desktop"} {
		t.Run(name, func(t *testing.T) {
			ctx, _, _ := browser(t, width)
			run(t, ctx, chromedp.Evaluate(`document.querySelectorAll("details").forEach((d) => { d.open = true; })`, nil))
			is(t, ctx, fmt.Sprintf(`document.documentElement.scrollWidth <= %d`, width))
			screenshot(t, ctx, "status-"+name)
		})
	}
}

// TestWithoutColours checks that what failed is said in words, where the user's colours replace ours.
func TestWithoutColours(t *testing.T) {
	ctx, _, _ := browser(t, 1200)
	run(t, ctx, emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "forced-colors", Value: "active"}}))
	is(t, ctx, `[...document.querySelectorAll(".bad .result")].every((e) => /failed|dropped/.test(e.textContent))`)
	is(t, ctx, `document.querySelectorAll(".bad .result").length === 1`)
	screenshot(t, ctx, "status-forced-colours")
}

// TestTexts looks for what the page makes of the data.
func TestTexts(t *testing.T) {
	ctx, ledger, _ := browser(t, 1200)
	many := dispatch.EventVerdict{Result: dispatch.Accepted, Event: &event.Event{ID: "many", InvolvedObject: object("many")}}
	for range 60 {
		many.Judgements = append(many.Judgements, dispatch.Judgement{Alert: &v1beta3.Alert{}, Verdict: dispatch.OtherSeverity})
	}
	ledger.Event(many)
	ledger.Event(dispatch.EventVerdict{Result: dispatch.Accepted, Event: &event.Event{ID: "unnamed", InvolvedObject: object("unnamed")}})
	ledger.Event(dispatch.EventVerdict{Result: dispatch.Invalid, Err: errors.New("no JSON")})
	ledger.Attempt(dispatch.Attempt{EventID: "long", Object: object("long"), Number: 9, Took: 3725 * time.Second})
	is(t, ctx, `document.body.textContent.includes("Kustomization/apps/long")`)
	for _, want := range []string{
		"✓ sent", "✗ failed: auth", "… sending", "by Alert apps/chat to Provider apps/slack (slack)", ", 85ms: taken", ", 15s: no answer in time",
		"1 attempt, 90ms from the event to the end.", ", 1h2m5s: taken", "9 attempts.",
		"accepted: 1 of 2 Alerts match", "✓ Alert apps/chat: matched", "✗ Alert apps/releases: inclusionList", "and 10 more",
		"No Alert names this object", "invalid", "no JSON", "repeated", "within --rate-limit-interval", "1m0s more",
		"not reconciled yet", "not_authentic: the signature does not match (80µs)", " accepted (120µs)",
	} {
		is(t, ctx, fmt.Sprintf(`document.body.textContent.includes(%q)`, want))
	}
	is(t, ctx, `[...document.querySelectorAll("time")].every((e) => /^\d\d:\d\d:\d\d$/.test(e.textContent) && !isNaN(Date.parse(e.dateTime)))`)
	is(t, ctx, `document.querySelector("ol.last") && document.querySelector('td[data-label="Waiting"]').textContent === "12"`)
}

// TestProblem has the page say why there are no data, and again show them.
func TestProblem(t *testing.T) {
	ctx, _, home := browser(t, 1200)
	run(t, ctx, log.Disable(), chromedp.Navigate(home+page.Path+"?object="+strings.Repeat("x", 2000)), chromedp.WaitVisible("#problem"))
	is(t, ctx, `document.getElementById("problem").textContent.includes("too long") && document.getElementById("live").textContent.endsWith("no connection")`)
	run(t, ctx, chromedp.Navigate(home+page.Path), chromedp.WaitVisible("#d-1-chat"))
	is(t, ctx, `document.getElementById("problem").hidden`)
}

// TestWithoutScripts checks that the page tells where the data are.
func TestWithoutScripts(t *testing.T) {
	ctx, _, home := browser(t, 1200)
	run(t, ctx, emulation.SetScriptExecutionDisabled(true), chromedp.Navigate(home+page.Path), chromedp.WaitVisible(`a[href="`+page.DataPath+`"]`))
}

// TestEscapes plants markup in all that comes from outside.
func TestEscapes(t *testing.T) {
	ctx, ledger, home := browser(t, 1200)
	const markup = `"><img src=x onerror="window.planted=1"><script>window.planted=1</script>`
	ledger.Event(dispatch.EventVerdict{Result: dispatch.Accepted, Event: &event.Event{
		ID: "planted", InvolvedObject: event.ObjectReference{Kind: markup, Namespace: markup, Name: markup}, Severity: markup, Reason: markup, Message: markup,
	}})
	ledger.Outcome(dispatch.Outcome{EventID: markup, Result: dispatch.Failed, Object: event.ObjectReference{Kind: "K", Name: markup}, Err: errors.New(markup)})
	run(t, ctx, chromedp.Navigate(home+page.Path+"?object="+url.QueryEscape(markup)), chromedp.WaitVisible("#live"))
	is(t, ctx, `document.body.innerText.includes("<img src=x") && window.planted === undefined && document.images.length === 0`)
	var value string
	run(t, ctx, chromedp.Value("#object", &value))
	if value != markup {
		t.Errorf("the filter reads %q", value)
	}
}

// history is a Ledger's content.
func history(l *page.Ledger) {
	add(l, "1", "shop", dispatch.Sent, nil)
	add(l, "2", "blog", dispatch.Failed, errors.New("401 Unauthorized: invalid_auth: change key \"token\" of the Secret in spec.secretRef of Provider 'apps/slack'"))
	l.Attempt(dispatch.Attempt{EventID: "3", Object: object("wiki"), Alert: alert(), Provider: slack(), Type: "slack", Number: 1, Took: 15 * time.Second, Err: errors.New("no answer in time")})
	l.Event(dispatch.EventVerdict{Result: dispatch.Repeated, Event: &event.Event{InvolvedObject: object("shop"), Severity: "info", Reason: "ReconciliationSucceeded", Message: "Applied revision main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"}})
	l.Call(hook.Call{UID: "github", Outcome: hook.Accepted, Reason: hook.Accepted, At: time.Now(), Took: 120 * time.Microsecond})
	l.Call(hook.Call{UID: "github", Outcome: hook.NotAuthentic, Reason: "the signature does not match", At: time.Now(), Took: 80 * time.Microsecond})
}

// add has an event sent, or not, as one of two Alerts wants it.
func add(l *page.Ledger, id, name string, result dispatch.Result, err error) {
	judgement := func(name string, verdict dispatch.Verdict) dispatch.Judgement {
		return dispatch.Judgement{Alert: &v1beta3.Alert{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: name}}, Verdict: verdict}
	}
	l.Event(dispatch.EventVerdict{
		Result: dispatch.Accepted,
		Event: &event.Event{
			ID: id, InvolvedObject: object(name), Severity: "error", Reason: "HealthCheckFailed",
			Message: "Deployment/apps/" + name + " status: 'Failed': timeout waiting for the rollout to finish",
		},
		Judgements: []dispatch.Judgement{judgement("chat", dispatch.Matched), judgement("releases", dispatch.NotIncluded)},
	})
	l.Attempt(dispatch.Attempt{EventID: id, Object: object(name), Alert: alert(), Provider: slack(), Type: "slack", Number: 1, Took: 85 * time.Millisecond, Err: err})
	o := dispatch.Outcome{EventID: id, Object: object(name), Alert: alert(), Provider: slack(), Type: "slack", Attempts: 1, Age: 90 * time.Millisecond, Result: result, Err: err}
	if err != nil {
		o.Reason = provider.ReasonAuth
	}
	l.Outcome(o)
}

func object(name string) event.ObjectReference {
	return event.ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: name}
}

func alert() provider.Object { return provider.Object{Namespace: "apps", Name: "chat", UID: "chat"} }
func slack() provider.Object { return provider.Object{Namespace: "apps", Name: "slack", UID: "slack"} }

func backlogs(int) []dispatch.Backlog {
	return []dispatch.Backlog{{Provider: slack(), Waiting: 12, Running: 1, Oldest: time.Now().Add(-time.Minute), PausedUntil: time.Now().Add(time.Minute)}}
}

func receivers() ([]*v1.Receiver, error) {
	receiver := func(name, kind string) *v1.Receiver {
		return &v1.Receiver{ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: name, UID: "github"}, Spec: v1.ReceiverSpec{Type: kind}}
	}
	return []*v1.Receiver{receiver("github", "github")}, nil
}
