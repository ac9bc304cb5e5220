package hook

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/go-logr/logr/funcr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// TestIsReady has the combinations of spec/api.md §7.
func TestIsReady(t *testing.T) {
	const yes, no = metav1.ConditionTrue, metav1.ConditionFalse
	for _, test := range []struct {
		ready, stalled, reconciling metav1.ConditionStatus
		want                        bool
	}{
		{yes, "", "", true},
		{yes, no, no, true},
		{yes, yes, yes, true},
		{yes, yes, no, false},
		{yes, yes, "", false},
		{yes, "", yes, false},
		{no, "", "", false},
		{"", "", "", false},
		{metav1.ConditionUnknown, "", "", false},
	} {
		r := &v1.Receiver{}
		for condition, status := range map[string]metav1.ConditionStatus{"Ready": test.ready, "Stalled": test.stalled, "Reconciling": test.reconciling} {
			if status != "" {
				r.Status.Conditions = append(r.Status.Conditions, metav1.Condition{Type: condition, Status: status})
			}
		}
		if got := isReady(r); got != test.want {
			t.Errorf("Ready %q, Stalled %q, Reconciling %q: got %v", test.ready, test.stalled, test.reconciling, got)
		}
	}
}

func TestResolve(t *testing.T) {
	kind := func(kind, apiVersion string) func(*v1.ResourceReference) {
		return func(e *v1.ResourceReference) { e.Kind, e.APIVersion = kind, apiVersion }
	}
	namespace := func(name string) func(*v1.ResourceReference) {
		return func(e *v1.ResourceReference) { e.Namespace = name }
	}
	labels := func(l map[string]string) func(*v1.ResourceReference) {
		return func(e *v1.ResourceReference) { e.MatchLabels = l }
	}

	for _, test := range []struct {
		name    string
		entry   v1.ResourceReference
		local   bool // --no-cross-namespace-refs
		want    []string
		problem string
	}{
		{name: "default apiVersion", entry: entry("shop"), want: []string{"GitRepository apps/shop"}},
		{name: "apiVersion", entry: entry("shop", kind("GitRepository", "source.toolkit.fluxcd.io/v1")), want: []string{"GitRepository apps/shop"}},
		{name: "version that is not served any more", entry: entry("shop", kind("GitRepository", "source.toolkit.fluxcd.io/v1beta2")), want: []string{"GitRepository apps/shop"}},
		{name: "wrong group", entry: entry("shop", kind("GitRepository", "apps/v1")), problem: "apiVersion: GitRepository is not in \"apps/v1\", set it to source.toolkit.fluxcd.io/VERSION"},
		{name: "core group", entry: entry("shop", kind("GitRepository", "v1")), problem: "apiVersion: "},
		{name: "malformed apiVersion", entry: entry("shop", kind("GitRepository", "a/b/c")), problem: "apiVersion: "},
		{name: "no default apiVersion", entry: entry("shop", kind("Kustomization", "")), problem: "apiVersion: Kustomization has no default, set it to kustomize.toolkit.fluxcd.io/VERSION"},
		{name: "kind with an apiVersion", entry: entry("apps", kind("Kustomization", "kustomize.toolkit.fluxcd.io/v1")), want: []string{"Kustomization apps/apps"}},
		{name: "unknown kind", entry: entry("shop", kind("Secret", "v1")), problem: `kind: unknown kind "Secret"`},
		{name: "labels do not matter with a name", entry: entry("shop", labels(map[string]string{"team": "z"})), want: []string{"GitRepository apps/shop"}},
		{name: "wildcard without matchLabels", entry: entry("*"), problem: "matchLabels: needed"},
		{name: "wildcard for all", entry: entry("*", labels(map[string]string{})), want: []string{"GitRepository apps/shop", "GitRepository apps/shop-infra"}},
		{name: "wildcard with labels", entry: entry("*", labels(map[string]string{"team": "b"})), want: []string{"GitRepository apps/shop-infra"}},
		{name: "wildcard without hits", entry: entry("*", labels(map[string]string{"team": "b", "more": "x"}))},
		{name: "another namespace", entry: entry("shop", namespace("prod")), want: []string{"GitRepository prod/shop"}},
		{name: "another namespace, forbidden", entry: entry("shop", namespace("prod")), local: true, problem: "--no-cross-namespace-refs forbids"},
		{name: "wildcard in another namespace, forbidden", entry: entry("*", namespace("prod"), labels(map[string]string{})), local: true, problem: "--no-cross-namespace-refs forbids"},
		{name: "its own namespace by name", entry: entry("shop", namespace("apps")), local: true, want: []string{"GitRepository apps/shop"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := receiver(resources(test.entry))
			f := newFixture(t, r)
			f.NoCrossNamespaceRefs = test.local
			kustomization, foreign := object("apps", nil), object("shop", nil)
			foreign.Namespace = "prod"
			f.objects.byKind["Kustomization"] = []*metav1.PartialObjectMetadata{kustomization}
			f.objects.byKind[gitRepository] = append(f.objects.byKind[gitRepository], foreign)

			found, problems := f.resolve(r)
			var got []string
			for _, c := range found {
				got = append(got, c.target.String())
			}
			if !slices.Equal(got, test.want) {
				t.Errorf("found %q, want %q", got, test.want)
			}
			switch {
			case test.problem == "" && len(problems) > 0:
				t.Errorf("problems: %v", problems)
			case test.problem != "" && (len(problems) != 1 || !strings.HasPrefix(problems[0].Error(), "spec.resources[0]: ") ||
				!strings.Contains(problems[0].Error(), test.problem)):
				t.Errorf("problems %v, want one with %q", problems, test.problem)
			}
		})
	}
}

func TestFilters(t *testing.T) {
	const image = `{"tag":"registry.example.com/shop:1.2.3","n":3,"names":["shop"]}`
	for _, test := range []struct {
		name          string
		all           string
		first, second string // filters of the entries for shop and shop-infra
		contentType   string
		body          string
		want          []string
	}{
		{name: "none", body: "not JSON", want: []string{"shop", "shop-infra"}},
		{name: "for all", all: "req.tag.contains('/' + res.metadata.name + ':')", body: image, want: []string{"shop"}},
		{name: "for one entry", second: "req.tag.contains('infra')", body: image, want: []string{"shop"}},
		{name: "both have to be true", all: "res.metadata.labels.team == 'a'", first: "false", body: image},
		{name: "for all comes first", all: "false", first: "req.nope == 1", body: image},
		{name: "the entry's own object", first: "res.metadata.name == 'shop'", second: "res.metadata.name == 'shop'", body: image, want: []string{"shop"}},
		{name: "kind and apiVersion", all: "res.kind == 'GitRepository' && res.apiVersion == 'source.toolkit.fluxcd.io/v1'", body: image, want: []string{"shop", "shop-infra"}},
		{name: "numbers are doubles", all: "type(req.n) == double && req.n == 3", body: image, want: []string{"shop", "shop-infra"}},
		{name: "metadata that is missing", all: "has(res.metadata.annotations)", body: image},
		{name: "null", all: "req == {}", body: "null", want: []string{"shop", "shop-infra"}},
		{name: "what follows the first value", all: "req.a == 1", body: `{"a":1} trailing`, want: []string{"shop", "shop-infra"}},
		{name: "JSON with parameters", all: "req.a == 1", contentType: "application/json; charset=utf-8", body: `{"a":1}`, want: []string{"shop", "shop-infra"}},
		{name: "JSON among others", all: "req.a == 1", contentType: "text/plain, application/json", body: `{"a":1}`, want: []string{"shop", "shop-infra"}},
		{name: "JSON after what cannot be parsed", all: "req == {}", contentType: "text plain, application/json", body: `{"a":1}`, want: []string{"shop", "shop-infra"}},
		{name: "JSON of another kind", all: "req == {}", contentType: "application/vnd.api+json", body: `{"a":1}`, want: []string{"shop", "shop-infra"}},
		{name: "no Content-Type", all: "req == {}", contentType: "-", body: `{"a":1}`, want: []string{"shop", "shop-infra"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, receiver(generic, resources(
				entry("shop", func(e *v1.ResourceReference) { e.Filter = test.first }),
				entry("shop-infra", func(e *v1.ResourceReference) { e.Filter = test.second }),
			), func(r *v1.Receiver) { r.Spec.ResourceFilter = test.all }))
			request := post(genericPath, test.body)
			if test.contentType != "" {
				request.Header.Set("Content-Type", strings.TrimPrefix(test.contentType, "-"))
			}
			got := f.do(request)
			if got.status/100 != 2 || !slices.Equal(f.queue.names(), test.want) {
				t.Errorf("got %d %q and handed %q over, want %q; Warnings %q", got.status, got.text, f.queue.names(), test.want, f.warnings())
			}
		})
	}
}

func TestFiltersNeedAnObject(t *testing.T) {
	for _, body := range []string{"[]", `"text"`, "3", "", "{", "nope"} {
		f := newFixture(t, receiver(generic, func(r *v1.Receiver) { r.Spec.ResourceFilter = "true" }))
		if got := f.do(post(genericPath, body)); got.status != http.StatusInternalServerError {
			t.Errorf("%q: got %d %s", body, got.status, got.text)
		}
	}
}

func TestFormPostsGiveFiltersAnEmptyRequest(t *testing.T) {
	f := newFixture(t, receiver(func(r *v1.Receiver) { r.Spec.ResourceFilter = "req == {}" }))
	form := "payload=%7B%22ref%22%3A%22refs%2Fheads%2Fmain%22%2C%22repository%22%3A%7B%22full_name%22%3A%22acme%2Fshop%22%7D%7D"
	got := f.do(push(withBody(strings.NewReader(form), int64(len(form))),
		withHeader("Content-Type", "application/x-www-form-urlencoded"),
		withHeader("X-Hub-Signature-256", "sha256=0774c0d9af8b1b3e1b832eda4d3a7ca179a76d3122ea386529ea9fc1b4b9232f")))
	if got.status != http.StatusAccepted {
		t.Errorf("got %d %s", got.status, got.text)
	}
}

// TestWildcardGoesOnAfterAFailure has an object in the middle whose filter fails.
func TestWildcardGoesOnAfterAFailure(t *testing.T) {
	f := newFixture(t, receiver(resources(entry("*", func(e *v1.ResourceReference) {
		e.MatchLabels = map[string]string{}
		e.Filter = "res.metadata.labels.team != ''"
	}))))
	f.objects.byKind[gitRepository] = slices.Insert(f.objects.byKind[gitRepository], 1, object("no-labels", nil))
	got := f.do(push())
	if got.status != http.StatusInternalServerError || !slices.Equal(f.queue.names(), []string{"shop", "shop-infra"}) {
		t.Errorf("got %d and handed %q over", got.status, f.queue.names())
	}
	if warnings := f.warnings(); len(warnings) != 1 || !strings.Contains(warnings[0], "GitRepository apps/no-labels: spec.resources[0].filter:1:") {
		t.Errorf("got the Events %q", warnings)
	}
}

func TestManyProblemsFitIntoOneEvent(t *testing.T) {
	var entries []v1.ResourceReference
	for i := range 50 {
		entries = append(entries, entry(fmt.Sprintf("%s-%d", strings.Repeat("é", 200), i)))
	}
	f := newFixture(t, receiver(resources(entries...)))
	f.do(push())
	warnings := f.warnings()
	if len(warnings) != 1 || len(strings.TrimPrefix(warnings[0], "Warning "+ReasonRequestFailed+" ")) > 1024 {
		t.Errorf("got %d Events, the first of %d bytes", len(warnings), len(warnings[0]))
	}
}

// TestFiltersAreCompiledOncePerEdit looks into the cache, since nothing else tells.
func TestFiltersAreCompiledOncePerEdit(t *testing.T) {
	r := receiver(func(r *v1.Receiver) { r.Spec.ResourceFilter = "res.metadata.name == 'shop'" })
	f := newFixture(t, r)
	kept := func() *filters {
		return f.filters.Get(r, "", func() *filters { t.Error("not kept"); return nil })
	}
	f.do(push())
	first := kept()
	f.do(push())
	if kept() != first {
		t.Error("compiled again for the same generation")
	}

	r = receiver(func(r *v1.Receiver) { r.Generation = 2; r.Spec.ResourceFilter = "false" })
	if err := f.receivers.Update(r); err != nil {
		t.Fatal(err)
	}
	if got := f.do(push()); got.status != http.StatusOK {
		t.Errorf("the new generation's filter was not asked: %d %s", got.status, got.text)
	}
	f.Drop(r.UID)
	if f.filters.Len() != 0 {
		t.Error("kept after Drop")
	}
}

// TestNothingSecretIsSaid goes through refusals and failures with planted secrets and reads everything that is said.
func TestNothingSecretIsSaid(t *testing.T) {
	const secretBody = `{"planted":"body-secret","key":"body-secret"}`
	var said strings.Builder
	logger := funcr.New(func(prefix, args string) { fmt.Fprintln(&said, prefix, args) }, funcr.Options{Verbosity: 10})

	failing := receiver(generic, resources(entry("shop"), entry("nope")), func(r *v1.Receiver) {
		r.Name, r.UID = "generic-recv", "generic-recv"
		r.Status.WebhookPath = genericPath
		r.Spec.ResourceFilter = "req[req.key] == 'x' || timestamp(req.planted) > timestamp('2020-01-01T00:00:00Z')"
	})
	f := newFixture(t, receiver(), failing)
	f.Log = logger
	for _, request := range []*http.Request{
		push(),
		push(withHeader("X-Hub-Signature-256", "planted-signature")),
		push(withTarget(githubPath + "?planted-query")),
		push(withHeader("Content-Type", "planted/type"), withHeader("X-GitHub-Event", "planted-event")),
		post(genericPath, secretBody),
		post(genericPath, "[1,"+secretBody),
	} {
		got := f.do(request)
		fmt.Fprintln(&said, got.status, got.text, got.header)
	}
	fmt.Fprintln(&said, f.warnings(), f.observer.webhooks)
	if !strings.Contains(said.String(), "generic-recv") || strings.Count(said.String(), "\n") < 12 {
		t.Fatalf("nothing was logged: %s", said.String())
	}
	digest := func(path string) string { return strings.TrimPrefix(path, "/hook/") }
	for _, forbidden := range []string{token, digest(githubPath), digest(genericPath), "planted", "body-secret", githubSHA256[10:]} {
		for line := range strings.Lines(said.String()) {
			if strings.Contains(strings.ReplaceAll(line, "req.planted", ""), forbidden) {
				t.Errorf("%q is said in: %s", forbidden, line)
			}
		}
	}
}

func TestUnreadableCallsAreNotVerified(t *testing.T) {
	f := newFixture(t, receiver())
	f.Types = func(name string) (source.Type, bool) {
		return source.Type{Name: name, Verifier: source.VerifierFunc(func(*source.Request, map[string][]byte) (source.Result, error) {
			t.Error("a body that broke off was verified")
			return source.Result{}, nil
		})}, true
	}
	f.do(push(withBody(brokenReader{}, -1)))
}
