package compat

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	eventv1 "github.com/fluxcd/pkg/apis/event/v1beta1"
	"github.com/fluxcd/pkg/runtime/events"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2/ktesting"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

// reporter is the controller that the recorder works for.
const reporter = "kustomize-controller"

// testEvents records events as Flux's controllers do, and looks at what arrives where Alerts send them.
func (c *cluster) testEvents(t *testing.T) {
	n := c.newTenant(t, "events")
	s := newSink(t)
	n.pipe(t, s.manifest("all", "info")+s.manifest("errors", "error"), "apply")
	controller := n.startController(t, c.Config())
	controller.waitReady(t)
	recorder, answers := newRecorder(t, "http://"+controller.EventsAddress())
	object := n.kustomization()
	started := time.Now().Truncate(time.Second)

	const prefix = "kustomize.toolkit.fluxcd.io/"
	revision := map[string]string{prefix + "revision": "main@sha1:a1b2c3"}
	newRevision := map[string]string{prefix + "revision": "main@sha1:d4e5f6"}
	var all, onlyErrors []eventv1.Event
	for _, test := range []struct {
		name      string
		metadata  map[string]string
		eventType string
		reason    string
		message   string
		// answers are the status codes that the recorder gets; it tries again after some.
		answers []int
		// severity of the notification; there is none if it is empty.
		severity string
		// want is the notification's metadata from the recorder.
		want map[string]string
	}{
		{
			"normal", nil, corev1.EventTypeNormal, "ReconciliationSucceeded", "applied",
			[]int{http.StatusAccepted}, "info", nil,
		},
		{
			"warning", nil, corev1.EventTypeWarning, "HealthCheckFailed", "timeout waiting for Deployment/apps/shop: 100%",
			[]int{http.StatusAccepted}, "error", nil,
		},
		{
			"warning that says the same", nil, corev1.EventTypeWarning, "HealthCheckFailed", "timeout waiting for Deployment/apps/shop: 100%",
			[]int{http.StatusTooManyRequests}, "", nil,
		},
		{
			"trace", nil, eventv1.EventTypeTrace, "Progressing", "nothing to see", nil, "", nil,
		},
		{
			"revision", revision, corev1.EventTypeNormal, "Progressing", "health check passed",
			[]int{http.StatusAccepted}, "info", map[string]string{"revision": "main@sha1:a1b2c3"},
		},
		{
			"revision that was there", revision, corev1.EventTypeNormal, "Progressing", "health check passed",
			[]int{http.StatusTooManyRequests}, "", nil,
		},
		{
			"new revision", newRevision, corev1.EventTypeNormal, "Progressing", "health check passed",
			[]int{http.StatusAccepted}, "info", map[string]string{"revision": "main@sha1:d4e5f6"},
		},
		{
			"all metadata", map[string]string{
				prefix + eventv1.MetaOriginRevisionKey: "v1@sha1:0a0b",
				prefix + eventv1.MetaCommitStatusKey:   eventv1.MetaCommitStatusUpdateValue,
				prefix + eventv1.MetaTokenKey:          "7",
				prefix + eventv1.MetaDigestKey:         "sha256:00",
				prefix + eventv1.MetaChecksumKey:       "00",
				prefix + "deployment/shop":             "configured",
				prefix + "team":                        "from the controller",
				"other.toolkit.fluxcd.io/revision":     "of another group",
				"revision":                             "of nobody",
			}, corev1.EventTypeNormal, "ReconciliationSucceeded", "all metadata",
			[]int{http.StatusAccepted}, "info", map[string]string{
				"originRevision": "v1@sha1:0a0b", "commit_status": "update", "deployment/shop": "configured",
				"team": "from the controller",
			},
		},
		{
			"new token", map[string]string{prefix + eventv1.MetaTokenKey: "8", prefix + eventv1.MetaOriginRevisionKey: "v1@sha1:0a0b"},
			corev1.EventTypeNormal, "ReconciliationSucceeded", "all metadata",
			[]int{http.StatusAccepted}, "info", map[string]string{"originRevision": "v1@sha1:0a0b"},
		},
	} {
		answers.reset()
		recorder.AnnotatedEventf(object, test.metadata, test.eventType, test.reason, "%s", test.message)
		if got := answers.statuses(); !slices.Equal(got, test.answers) {
			t.Errorf("%s: the recorder got the answers %d, want %d", test.name, got, test.answers)
		}
		if test.severity == "" {
			continue
		}
		// The object's annotation, what the Alert adds, and what the recorder was given, in the order of precedence.
		metadata := map[string]string{"summary": "the shop", "team": "from the annotation", "cluster": "from the Alert"}
		maps.Copy(metadata, test.want)
		want := eventv1.Event{
			InvolvedObject: corev1.ObjectReference{
				APIVersion: object.GetAPIVersion(), Kind: object.GetKind(), Namespace: object.GetNamespace(),
				Name: object.GetName(), UID: object.GetUID(), ResourceVersion: object.GetResourceVersion(),
			},
			Severity: test.severity, Reason: test.reason, Message: test.message, Metadata: metadata,
			ReportingController: reporter, ReportingInstance: hostname(t),
		}
		all = append(all, want)
		if test.severity == eventv1.EventSeverityError {
			onlyErrors = append(onlyErrors, want)
		}
	}

	controller.stop() // Which sends all that is to be sent: what has not arrived now never will.
	s.compare(t, "all", started, all)
	s.compare(t, "errors", started, onlyErrors)
}

// testEventsTooEarly records an event before the controller has read the Alerts.
func (c *cluster) testEventsTooEarly(t *testing.T) {
	n := c.newTenant(t, "early-events")
	s := newSink(t)
	n.pipe(t, s.manifest("all", "info"), "apply")
	config, release := heldBack(c)
	controller := n.startController(t, config)
	recorder, answers := newRecorder(t, "http://"+controller.EventsAddress())
	answers.onFirst = release

	recorder.Event(n.kustomization(), corev1.EventTypeNormal, "ReconciliationSucceeded", "applied")
	if got := slices.Compact(answers.statuses()); !slices.Equal(got, []int{http.StatusServiceUnavailable, http.StatusAccepted}) {
		t.Errorf("the recorder got the answers %d, want %d and then %d", answers.statuses(), http.StatusServiceUnavailable, http.StatusAccepted)
	}
	controller.stop()
	if got := s.messages("all"); !slices.Equal(got, []string{"applied"}) {
		t.Errorf("the messages %q arrived, want one that says: applied", got)
	}
}

// kustomization is an object as a controller of Flux has it. It need not be on the API server.
func (n tenant) kustomization() *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1",
		"kind":       "Kustomization",
		"metadata": map[string]any{
			"namespace": n.namespace, "name": "shop", "uid": "1f0c5c0e-5b0e-4a55-9a0c-0d2f3a6f7b11", "resourceVersion": "42",
			"annotations": map[string]any{
				eventv1.Group + "/summary": "the shop",
				eventv1.Group + "/team":    "from the annotation",
				"example.com/other":        "stays where it is",
			},
		},
	}}
}

func hostname(t *testing.T) string {
	t.Helper()
	name, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	return name
}

// newRecorder returns Flux's event recorder as Flux's controllers make it, and the answers that it gets.
func newRecorder(t *testing.T, address string) (*events.Recorder, *answers) {
	t.Helper()
	logger, _ := ktesting.NewTestContext(t)
	// It sends to Kubernetes too, which is not of interest. The buffer keeps it from blocking.
	recorder, err := events.NewRecorderForScheme(runtime.NewScheme(), record.NewFakeRecorder(100), logger, address, reporter)
	if err != nil {
		t.Fatal(err)
	}
	transport := recorder.Client.HTTPClient.Transport
	if transport == nil {
		transport = http.DefaultTransport
	}
	a := &answers{next: transport}
	recorder.Client.HTTPClient.Transport = a
	return recorder, a
}

// answers notes the status of every answer that a client gets.
type answers struct {
	next http.RoundTripper
	// onFirst is called at the first answer, if it is set.
	onFirst func()

	mu    sync.Mutex
	noted []int
}

func (a *answers) RoundTrip(r *http.Request) (*http.Response, error) {
	response, err := a.next.RoundTrip(r)
	a.mu.Lock()
	defer a.mu.Unlock()
	status := 0
	if err == nil {
		status = response.StatusCode
	}
	a.noted = append(a.noted, status)
	if len(a.noted) == 1 && a.onFirst != nil {
		a.onFirst()
	}
	return response, err
}

func (a *answers) reset() {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.noted = nil
}

func (a *answers) statuses() []int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.noted)
}

// sink takes notifications of type generic.
type sink struct {
	server *httptest.Server

	mu sync.Mutex
	// taken are the notifications by the path that they came to.
	taken map[string][]eventv1.Event
}

func newSink(t *testing.T) *sink {
	t.Helper()
	s := &sink{taken: map[string][]eventv1.Event{}}
	s.server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		var event eventv1.Event
		decoder := json.NewDecoder(r.Body)
		decoder.DisallowUnknownFields() // Those who receive notifications decode them into Flux's type.
		if err := decoder.Decode(&event); err != nil {
			t.Errorf("a notification is not one of Flux's events: %v", err)
		}
		if got := r.Header.Get("Gotk-Component"); got != reporter {
			t.Errorf("a notification has Gotk-Component %q, want %q", got, reporter)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		path := strings.TrimPrefix(r.URL.Path, "/")
		s.taken[path] = append(s.taken[path], event)
	}))
	t.Cleanup(s.server.Close)
	return s
}

// manifest is an Alert for events of a severity and the Provider that sends them to a path of the sink.
func (s *sink) manifest(path, severity string) string {
	return fmt.Sprintf(`---
apiVersion: %[1]s/v1beta3
kind: Provider
metadata: {name: %[2]s}
spec: {type: generic, address: "%[3]s/%[2]s"}
---
apiVersion: %[1]s/v1beta3
kind: Alert
metadata: {name: %[2]s}
spec:
  providerRef: {name: %[2]s}
  eventSeverity: %[4]s
  eventSources: [{kind: Kustomization, name: "*"}]
  eventMetadata: {cluster: from the Alert}
`, notification.GroupName, path, s.server.URL, severity)
}

func (s *sink) messages(path string) []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var messages []string
	for _, event := range s.taken[path] {
		messages = append(messages, event.Message)
	}
	return messages
}

// compare expects these events at a path, in any order, since notifications may overtake each other. Their time is to
// be between started and now.
func (s *sink) compare(t *testing.T, path string, started time.Time, want []eventv1.Event) {
	t.Helper()
	s.mu.Lock()
	defer s.mu.Unlock()
	missing := slices.Clone(want)
	for _, got := range s.taken[path] {
		if at := got.Timestamp.Time; at.Before(started) || at.After(time.Now()) {
			t.Errorf("%s: the time of %q is %s, want one since %s", path, got.Message, at, started)
		}
		got.Timestamp.Reset()
		i := slices.IndexFunc(missing, func(want eventv1.Event) bool { return reflect.DeepEqual(got, want) })
		if i < 0 {
			t.Errorf("%s: not wanted: %+v", path, got)
			continue
		}
		missing = slices.Delete(missing, i, i+1)
	}
	for _, event := range missing {
		t.Errorf("%s: missing: %+v", path, event)
	}
}
