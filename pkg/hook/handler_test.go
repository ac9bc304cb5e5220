package hook

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/objects"
	"github.com/notification-controller/notification-controller/pkg/server"
)

// TestStatusCodes has every status code of design.md §5, and what else is to be seen of each call.
func TestStatusCodes(t *testing.T) {
	suspended := func(r *v1.Receiver) { r.Spec.Suspend = true }
	unready := func(r *v1.Receiver) { r.Status.Conditions[0].Status = metav1.ConditionFalse }
	events := func(names ...string) func(*v1.Receiver) { return func(r *v1.Receiver) { r.Spec.Events = names } }
	filter := func(expression string) func(*v1.Receiver) {
		return func(r *v1.Receiver) { r.Spec.ResourceFilter = expression }
	}
	forged := withHeader("X-Hub-Signature-256", "sha256="+strings.Repeat("0", 64))

	for _, test := range []struct {
		name     string
		receiver *v1.Receiver
		prepare  func(*fixture)
		request  *http.Request

		status  int
		text    string
		metric  string
		queued  []string
		warning string // in the only Kubernetes Event; empty when there is none
	}{
		{name: "handed over", receiver: receiver(), request: push(),
			status: 202, text: "accepted", metric: "github accepted", queued: []string{"shop"}},
		{name: "any method", receiver: receiver(), request: push(func(r *http.Request) { r.Method = http.MethodPut }),
			status: 202, text: "accepted", metric: "github accepted", queued: []string{"shop"}},

		{name: "suspended", receiver: receiver(suspended), request: push(),
			status: 200, text: "ignored: the Receiver is suspended", metric: "github suspended"},
		{name: "suspended before it was ready", receiver: receiver(suspended, unready), request: push(),
			status: 200, text: "ignored: the Receiver is suspended", metric: "github suspended"},
		{name: "event not listed", receiver: receiver(events("pull_request", "ping")), request: push(),
			status: 200, text: "ignored: the event is not listed in spec.events", metric: "github event_ignored"},
		{name: "no event where some are listed", receiver: receiver(events("push")), request: push(withHeader("X-GitHub-Event", "")),
			status: 200, text: "ignored: the event is not listed in spec.events", metric: "github event_ignored"},
		{name: "event listed in another case", receiver: receiver(events("ping", "PUSH")), request: push(),
			status: 202, text: "accepted", metric: "github accepted", queued: []string{"shop"}},
		{name: "events do not matter to a type without", receiver: receiver(generic, events("push")), request: post(genericPath, "{}"),
			status: 202, text: "accepted", metric: "generic accepted", queued: []string{"shop"}},
		{name: "filtered out", receiver: receiver(filter("res.metadata.name == 'other'")), request: push(),
			status: 200, text: "nothing to reconcile: no object matches", metric: "github nothing_matched"},
		{name: "wildcard without hits", receiver: receiver(resources(entry("*", func(e *v1.ResourceReference) { e.MatchLabels = map[string]string{"team": "z"} }))), request: push(),
			status: 200, text: "nothing to reconcile: no object matches", metric: "github nothing_matched"},

		{name: "forged", receiver: receiver(), request: push(forged),
			status: 401, text: "not authentic", metric: "github not_authentic"},
		{name: "unsigned", receiver: receiver(), request: push(withHeader("X-Hub-Signature-256", "")),
			status: 401, text: "not authentic", metric: "github not_authentic"},
		{name: "forged, to a suspended Receiver", receiver: receiver(suspended), request: push(forged),
			status: 401, text: "not authentic", metric: "github not_authentic"},
		{name: "forged, with an event that is not listed", receiver: receiver(events("ping")), request: push(forged),
			status: 401, text: "not authentic", metric: "github not_authentic"},
		{name: "forged, of a wrong type", receiver: receiver(), request: push(forged, withHeader("Content-Type", "text/plain")),
			status: 401, text: "not authentic", metric: "github not_authentic"},
		{name: "forged, with a broken filter", receiver: receiver(filter("nope")), request: push(forged),
			status: 401, text: "not authentic", metric: "github not_authentic"},

		{name: "wrong type", receiver: receiver(), request: push(withHeader("Content-Type", "text/plain")),
			status: 400, text: "Content-Type", metric: "github bad_request"},
		{name: "body breaks off", receiver: receiver(), request: push(withBody(io.MultiReader(strings.NewReader("{"), brokenReader{}), -1)),
			status: 400, text: "the body could not be read", metric: "github bad_request"},
		{name: "type that is not known", receiver: receiver(func(r *v1.Receiver) { r.Spec.Type = "nope" }), request: push(),
			status: 400, text: "not supported", metric: "unknown bad_request"},

		{name: "unknown path", receiver: receiver(), request: push(withTarget("/hook/" + strings.Repeat("0", 64))),
			status: 404, text: "not found", metric: "unknown unknown_path"},
		{name: "query", receiver: receiver(), request: push(withTarget(githubPath + "?a=b")),
			status: 404, text: "not found", metric: "unknown unknown_path"},
		{name: "trailing slash", receiver: receiver(), request: push(withTarget(githubPath + "/")),
			status: 404, text: "not found", metric: "unknown unknown_path"},
		{name: "absolute target", receiver: receiver(), request: push(withTarget("http://example.com" + githubPath)),
			status: 404, text: "not found", metric: "unknown unknown_path"},
		{name: "percent-encoded", receiver: receiver(), request: push(withTarget(strings.Replace(githubPath, "aaa", "%61aa", 1))),
			status: 404, text: "not found", metric: "unknown unknown_path"},
		{name: "path of nobody", receiver: receiver(func(r *v1.Receiver) { r.Status.WebhookPath = "" }), request: push(withTarget("")),
			status: 404, text: "not found", metric: "unknown unknown_path"},

		{name: "announced too long", receiver: receiver(), request: push(withBody(brokenReader{}, server.MaxBody+1)),
			status: 413, text: "the body is longer than 3145728 bytes", metric: "unknown too_large"},
		{name: "announced too long, on an unknown path", receiver: receiver(), request: push(withTarget("/hook/0"), withBody(brokenReader{}, server.MaxBody+1)),
			status: 413, text: "the body is longer than 3145728 bytes", metric: "unknown too_large"},
		{name: "too long in chunks", receiver: receiver(), request: push(withBody(strings.NewReader(strings.Repeat("x", server.MaxBody+1)), -1)),
			status: 413, text: "the body is longer than 3145728 bytes", metric: "github too_large"},
		{name: "as long as it may be", receiver: receiver(), request: push(withBody(strings.NewReader(strings.Repeat("x", server.MaxBody)), server.MaxBody)),
			status: 401, text: "not authentic", metric: "github not_authentic"},

		{name: "caches not synced", receiver: receiver(), request: push(), prepare: func(f *fixture) { f.ready = false },
			status: 503, text: "not ready, try again later", metric: "unknown not_ready"},
		{name: "Receiver not ready", receiver: receiver(unready), request: push(),
			status: 503, text: "not ready, try again later", metric: "github not_ready"},
		{name: "Secret not loaded", receiver: receiver(), request: push(), prepare: func(f *fixture) { f.secrets["apps/webhook-token"] = nil },
			status: 503, text: "not ready, try again later", metric: "github not_ready"},
		{name: "Secret deleted", receiver: receiver(), request: push(), prepare: func(f *fixture) { delete(f.secrets, "apps/webhook-token") },
			status: 503, text: "not ready, try again later", metric: "github not_ready"},
		{name: "no token", receiver: receiver(), request: push(), prepare: func(f *fixture) { delete(f.secrets["apps/webhook-token"], "token") },
			status: 503, text: "not ready, try again later", metric: "github not_ready"},
		{name: "empty token", receiver: receiver(), request: push(), prepare: func(f *fixture) { f.secrets["apps/webhook-token"]["token"] = []byte{} },
			status: 503, text: "not ready, try again later", metric: "github not_ready"},
		{name: "no secretRef", receiver: receiver(func(r *v1.Receiver) { r.Spec.SecretRef = nil }), request: push(),
			status: 503, text: "not ready, try again later", metric: "github not_ready"},
		{name: "kind not synced", receiver: receiver(), request: push(), prepare: func(f *fixture) { f.objects.errs[gitRepository] = objects.ErrNotSynced },
			status: 503, text: "not ready, try again later", metric: "github not_ready"},

		{name: "kind not served", receiver: receiver(), request: push(), prepare: func(f *fixture) { f.objects.errs[gitRepository] = objects.ErrNotServed },
			status: 500, text: "not every object", metric: "github failed", warning: "spec.resources[0]: list GitRepository in apps: the cluster does not serve this kind"},
		{name: "kind forbidden", receiver: receiver(), request: push(), prepare: func(f *fixture) { f.objects.errs[gitRepository] = objects.ErrForbidden },
			status: 500, text: "not every object", metric: "github failed", warning: "does not allow it to list and watch"},
		{name: "object missing", receiver: receiver(resources(entry("nope"))), request: push(),
			status: 500, text: "not every object", metric: "github failed", warning: "spec.resources[0]: GitRepository apps/nope: not found"},
		{name: "one of several missing", receiver: receiver(resources(entry("shop"), entry("nope"), entry("shop-infra"))), request: push(),
			status: 500, text: "not every object", metric: "github failed", queued: []string{"shop", "shop-infra"}, warning: "spec.resources[1]: GitRepository apps/nope: not found"},
		{name: "one missing, one not synced", request: push(), prepare: func(f *fixture) { f.objects.errs["Bucket"] = objects.ErrNotSynced },
			receiver: receiver(resources(entry("nope"), entry("b", func(e *v1.ResourceReference) { e.Kind = "Bucket" }))),
			status:   500, text: "not every object", metric: "github failed", warning: "not found"},
		{name: "not an object for a filter", receiver: receiver(filter("true"), generic), request: post(genericPath, "[1]"),
			status: 500, text: "the body is not a JSON object", metric: "generic failed"},
		{name: "broken filter", receiver: receiver(filter("nope")), request: push(),
			status: 500, text: "a filter of the Receiver is broken", metric: "github failed"},
		{name: "filter fails", receiver: receiver(filter("req.nope == 'x'")), request: push(),
			status: 500, text: "not every object", metric: "github failed", warning: "GitRepository apps/shop: spec.resourceFilter:1:4: no such key: nope"},
		{name: "verifier fails", receiver: receiver(), request: push(), prepare: func(f *fixture) { f.Types = constant(errors.New("planted")) },
			status: 500, text: "the call could not be verified", metric: "github failed"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, test.receiver)
			if test.prepare != nil {
				test.prepare(f)
			}
			got := f.do(test.request)
			if got.status != test.status || !strings.Contains(got.text, test.text) {
				t.Errorf("got %d %q, want %d %q", got.status, got.text, test.status, test.text)
			}
			if !slices.Equal(f.observer.webhooks, []string{test.metric}) {
				t.Errorf("counted %q, want %q", f.observer.webhooks, test.metric)
			}
			if !slices.Equal(f.queue.names(), test.queued) {
				t.Errorf("handed %q over, want %q", f.queue.names(), test.queued)
			}
			if retry := got.header.Get("Retry-After"); (retry != "") != (test.status == 503) {
				t.Errorf("Retry-After is %q with %d", retry, test.status)
			}
			switch warnings := f.warnings(); {
			case test.warning == "" && len(warnings) > 0:
				t.Errorf("unexpected Warnings: %q", warnings)
			case test.warning != "" && (len(warnings) != 1 || !strings.Contains(warnings[0], test.warning) ||
				!strings.HasPrefix(warnings[0], "Warning "+ReasonRequestFailed)):
				t.Errorf("got the Events %q, want one with %q", warnings, test.warning)
			}
		})
	}
}

// generic makes a Receiver one that takes every call to its path.
func generic(r *v1.Receiver) {
	r.Spec.Type, r.Name = "generic", "generic-recv"
	r.Status.WebhookPath = genericPath
}

func post(target, body string) *http.Request {
	r := httptest.NewRequest(http.MethodPost, target, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	return r
}

type brokenReader struct{}

func (brokenReader) Read([]byte) (int, error) { return 0, errors.New("connection reset") }

func TestUnknownPathsAreNotRead(t *testing.T) {
	f := newFixture(t)
	read := &countingReader{}
	f.do(push(withBody(read, -1)))
	if read.calls != 0 {
		t.Errorf("the body was read %d times", read.calls)
	}
}

type countingReader struct{ calls int }

func (r *countingReader) Read([]byte) (int, error) {
	r.calls++
	return 0, io.EOF
}

func TestServesOnlyWebhookPaths(t *testing.T) {
	f := newFixture(t, receiver())
	for target, want := range map[string]int{
		"/":        http.StatusNotFound,
		"/metrics": http.StatusNotFound,
		"/hooks/x": http.StatusNotFound,
		"/hook":    http.StatusTemporaryRedirect,
		"//" + strings.TrimPrefix(githubPath, "/"): http.StatusTemporaryRedirect,
	} {
		if got := f.do(httptest.NewRequest(http.MethodPost, target, nil)); got.status != want {
			t.Errorf("%s: got %d, want %d", target, got.status, want)
		}
	}
	if len(f.observer.webhooks) > 0 {
		t.Errorf("counted %q", f.observer.webhooks)
	}
}

func TestOldestReceiverWinsASharedPath(t *testing.T) {
	now := time.Now()
	born := func(namespace string, at time.Time) func(*v1.Receiver) {
		return func(r *v1.Receiver) {
			r.Namespace, r.CreationTimestamp = namespace, metav1.NewTime(at)
		}
	}
	// The younger one, in another namespace, would take every call.
	f := newFixture(t, receiver(born("a-foreign", now), func(r *v1.Receiver) { r.Spec.Type = "generic" }), receiver(born(theNamespace, now.Add(-time.Hour))))
	f.secrets["a-foreign/"+theSecret] = map[string][]byte{"token": []byte("other")}
	if got := f.do(push()); got.status != http.StatusAccepted {
		t.Errorf("the push to the oldest: got %d %s", got.status, got.text)
	}
	if got := f.do(push(withHeader("X-Hub-Signature-256", ""))); got.status != http.StatusUnauthorized {
		t.Errorf("an unsigned call reached the younger one: got %d %s", got.status, got.text)
	}
}

func TestTimeOfAcceptanceIsHandedOver(t *testing.T) {
	f := newFixture(t, receiver())
	before := time.Now()
	f.do(push())
	if f.queue.at.Before(before) || f.queue.at.After(time.Now()) {
		t.Errorf("handed over as of %v", f.queue.at)
	}
}
