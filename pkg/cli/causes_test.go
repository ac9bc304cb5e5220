package cli

import (
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

// theEvent and theObjects fit together: the event is delivered.
const (
	theEvent = `{"involvedObject":{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","namespace":"apps","name":"shop"},
"severity":"info","reason":"ReconciliationSucceeded","message":"Reconciliation finished in 1s",
"metadata":{"kustomize.toolkit.fluxcd.io/revision":"main@sha1:a1afe267b54f38b46b487f6e938a6fd508278c07"}}`

	theObjects = `
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata:
  name: alert
  namespace: apps
spec:
  suspend: false
  eventSeverity: info
  providerRef: {name: provider}
  eventSources: [{kind: Kustomization, name: shop}]
  inclusionList: [Reconciliation]
  exclusionList: [upgrade failed]
---
apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Provider
metadata:
  name: provider
  namespace: apps
spec:
  type: slack
  suspend: false # the Provider
  secretRef: {name: url}
---
apiVersion: v1
kind: Secret
metadata:
  name: url
  namespace: apps
stringData:
  address: https://hooks.example.com/services/planted-path
`
)

// TestCauses has the ten commonest reasons for not being told, and some more: each is named in one line that says what
// to change.
func TestCauses(t *testing.T) {
	const alert = "no   apps/alert: "
	for _, test := range []struct {
		name string
		// old is replaced by new in the objects.
		old, new string
		args     []string
		want     string
	}{
		{name: "none", want: "yes  apps/alert: goes to Provider 'apps/provider' (slack)"},
		{name: "1 wrong namespace", old: "name: alert\n  namespace: apps", new: "name: alert\n  namespace: flux-system",
			want: `no   flux-system/alert: spec.eventSources[0].namespace is not set, and so the Alert's own, "flux-system"; the event is about Kustomization/apps/shop: set it to "apps"`},
		{name: "2 severity", old: "eventSeverity: info", new: "eventSeverity: error",
			want: alert + `spec.eventSeverity is "error", and the event's severity is "info": set it to "info"`},
		{name: "3 case of the kind", old: "kind: Kustomization, name", new: "kind: kustomization, name",
			want: alert + `spec.eventSources[0].kind is "kustomization" (upper and lower case differ); the event is about Kustomization/apps/shop: set it to "Kustomization"`},
		{name: "4 suspended Alert", old: "suspend: false\n  eventSeverity", new: "suspend: true\n  eventSeverity",
			want: alert + "spec.suspend is true: set it to false"},
		{name: "4 suspended Provider", old: "suspend: false # the Provider", new: "suspend: true",
			want: alert + "Provider 'apps/provider': its spec.suspend is true: set it to false"},
		{name: "5 excluded by a regex", old: "[upgrade failed]", new: "[upgrade failed, 'finished']",
			want: alert + `spec.exclusionList[1] "finished" matches the message "Reconciliation finished in 1s": remove it, or make it narrower`},
		{name: "5 included by no regex", old: "[Reconciliation]", new: "['^reconciliation']",
			want: alert + `no expression of spec.inclusionList matches the message "Reconciliation finished in 1s": add one that does`},
		{name: "6 missing Secret", old: "name: url\n  namespace: apps", new: "name: url\n  namespace: default",
			want: alert + "Provider 'apps/provider': spec.secretRef: Secret 'apps/url': not found: create it, or change the name"},
		{name: "7 wrong key of the Secret", old: "  address: https:", new: "  url: https:",
			want: alert + `Provider 'apps/provider': spec.address (or key "address" of the Secret in spec.secretRef) is empty: Secret 'apps/url' has the keys ["url"]`},
		{name: "10 cross-namespace ban", old: "name: alert\n  namespace: apps", new: "name: alert\n  namespace: default",
			args: []string{"--no-cross-namespace-refs"},
			want: `no   default/alert: --no-cross-namespace-refs keeps it from objects outside its namespace: move the Alert and its Provider to "apps", where the event comes from`},

		{name: "missing Provider", old: "name: provider\n  namespace: apps", new: "name: provider\n  namespace: default",
			want: alert + `spec.providerRef: there is no Provider 'apps/provider': create it; the one in "default" does not count, since it has to be in the Alert's namespace`},
		{name: "another name of the Provider", old: "name: provider\n  namespace: apps", new: "name: other\n  namespace: apps",
			want: alert + `spec.providerRef: there is no Provider 'apps/provider': create it, or change the name`},
		{name: "type that does not take such events", old: "type: slack", new: "type: githubpullrequestcomment",
			want: alert + "Provider 'apps/provider': the event names no change request, which type githubpullrequestcomment comments on: its metadata lacks event.toolkit.fluxcd.io/change_request"},
		{name: "type that does not exist", old: "type: slack", new: "type: slak",
			want: alert + `Provider 'apps/provider': spec.type "slak" is not supported`},
		{name: "another name", old: "name: shop}", new: "name: shopp}",
			want: alert + `spec.eventSources[0].name is "shopp"; the event is about Kustomization/apps/shop: set it to "shop"`},
		{name: "another object", old: "kind: Kustomization, name: shop", new: "kind: HelmRelease, name: db",
			want: alert + "no entry of spec.eventSources selects Kustomization/apps/shop: add {kind: Kustomization, name: shop, namespace: apps}"},
		{name: "filter", old: "suspend: false\n  eventSeverity", new: "eventFilter: event.severity == 'error'\n  eventSeverity",
			want: alert + "spec.eventFilter is not true for the event: change it"},
		{name: "filter that fails", old: "suspend: false\n  eventSeverity", new: "eventFilter: event.gravity == 'error'\n  eventSeverity",
			want: "note: event for Kustomization/apps/shop is not selected: spec.eventFilter:1:6: no such key: gravity"},
		{name: "filter that does not compile", old: "suspend: false\n  eventSeverity", new: "eventFilter: severity == 'error'\n  eventSeverity",
			want: "note: spec.eventFilter:1:1: undeclared reference to 'severity'"},
		{name: "broken regex", old: "[Reconciliation]", new: "['(']",
			want: "note: spec.inclusionList[0]: error parsing regexp: missing closing ): `(`"},
		{name: "labels", old: "name: shop}", new: "name: '*', matchLabels: {team: a}}",
			want: alert + "Kustomization/apps/shop does not have the labels that spec.eventSources.matchLabels asks for: team=a (spec.eventSources[0]): label it, or change them"},
		{name: "broken address", old: "https://hooks", new: "hooks",
			want: alert + `Provider 'apps/provider': spec.address (or key "address" of the Secret in spec.secretRef) is not an absolute URL: Secret 'apps/url' has the keys ["address"]`},
	} {
		t.Run(test.name, func(t *testing.T) {
			objects := theObjects
			if test.old != "" {
				objects = strings.Replace(objects, test.old, test.new, 1)
				if objects == theObjects {
					t.Fatalf("the objects do not have %q", test.old)
				}
			}
			if test.name == "10 cross-namespace ban" {
				objects = strings.Replace(objects, "name: shop}", "name: shop, namespace: apps}", 1)
			}
			args := append([]string{"explain", "-f", write(t, "event.json", theEvent), "-f", "-"}, test.args...)
			got := run(t, objects, args...)
			want := exitNo
			if test.old == "" {
				want = exitYes
			}
			if got.code != want || !slices.Contains(lines(got.out), test.want) {
				t.Errorf("code %d\ngot:  %s\nwant: %s\n%s", got.code, got.out, test.want, got.err)
			}
			if strings.Contains(got.out+got.err, "planted") {
				t.Error("it shows a secret")
			}
		})
	}
}

// TestRepeated is cause 8.
func TestRepeated(t *testing.T) {
	event := write(t, "event.json", theEvent)
	got := run(t, theObjects, "explain", "-f", event, "-f", event, "-f", "-", "--rate-limit-interval=10m")
	const want = "Kustomization/apps/shop info ReconciliationSucceeded: an event about the same object, with the same message and revision, " +
		"came within 10m0s before (--rate-limit-interval): wait, or change the message or the revision"
	if got.code != exitNo || !slices.Contains(lines(got.out), want) {
		t.Errorf("code %d\ngot:  %s\nwant: %s", got.code, got.out, want)
	}
	other := write(t, "other.json", strings.Replace(theEvent, "a1afe267", "b2bfe267", 1))
	if got := run(t, theObjects, "explain", "-f", event, "-f", other, "-f", "-"); got.code != exitYes {
		t.Errorf("an event of another revision counts as a repetition:\n%s", got.out)
	}
}

// TestRepeatInterval holds back what the Alert has told, though the message is another one.
func TestRepeatInterval(t *testing.T) {
	event := write(t, "event.json", theEvent)
	other := write(t, "other.json", strings.Replace(theEvent, "in 1s", "in 2s", 1))
	objects := strings.Replace(theObjects, "suspend: false\n  eventSeverity", "repeatInterval: 1h\n  eventSeverity", 1)
	got := run(t, objects, "explain", "-f", event, "-f", other, "-f", "-")
	const want = "no   apps/alert: Provider 'apps/provider': the Alert has told of the object with this reason and severity within its spec.repeatInterval: wait, or shorten it"
	if got.code != exitNo || !slices.Contains(lines(got.out), want) || !strings.Contains(got.out, "yes  apps/alert") {
		t.Errorf("code %d\ngot:  %s\nwant: %s", got.code, got.out, want)
	}
}

// TestRefusing is cause 9.
func TestRefusing(t *testing.T) {
	const line = "no   apps/(no Alert): Provider 'apps/provider': "
	for status, want := range map[int]string{
		http.StatusForbidden:           line + "the service answered 403 Forbidden: no such ***** here: check the credentials in the Secret of spec.secretRef",
		http.StatusNotFound:            line + "the service answered 404 Not Found: no such ***** here: check spec.address and spec.channel",
		http.StatusBadRequest:          line + "the service answered 400 Bad Request: no such ***** here: check spec.address and spec.channel",
		http.StatusTooManyRequests:     line + "the service answered 429 Too Many Requests: no such ***** here (asks to wait 7s): have its Alerts select less (spec.eventSeverity, spec.exclusionList), or see why the service does not take more",
		http.StatusInternalServerError: line + "the service answered 500 Internal Server Error: no such ***** here: see whether the service at spec.address has a fault",
		http.StatusOK:                  "yes  apps/(no Alert): Provider 'apps/provider' (slack) has taken it",
	} {
		calls := 0
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			calls++
			w.Header().Set("Retry-After", "7")
			w.WriteHeader(status)
			_, _ = w.Write([]byte("no such " + r.URL.Path + " here"))
		}))
		objects := strings.Replace(theObjects, "https://hooks.example.com", server.URL, 1)
		got := run(t, objects, "send", "-f", "-", "-n", "apps", "--provider", "provider")
		server.Close()
		if (got.code == exitYes) != (status == http.StatusOK) || !slices.Contains(lines(got.out), want) {
			t.Errorf("code %d\ngot:  %s\nwant: %s\n%s", got.code, got.out, want, got.err)
		}
		if calls != 1 || strings.Contains(got.out+got.err, "planted") {
			t.Errorf("%d calls, or a secret:\n%s%s", calls, got.out, got.err)
		}
	}
}
