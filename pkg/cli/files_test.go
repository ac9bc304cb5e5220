package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const objectForm = `apiVersion: notification.toolkit.fluxcd.io/v1beta3
kind: Alert
metadata: {name: %s, namespace: apps}
spec: {providerRef: {name: provider}, eventSources: [{kind: Kustomization, name: "*"}]}
`

// TestReadFiles has the forms that objects and events may come in.
func TestReadFiles(t *testing.T) {
	dir := t.TempDir()
	put := func(name, content string) {
		file := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	put("one.yaml", "# a comment\n---\n"+fmt.Sprintf(objectForm, "a")+"---\n---\n"+fmt.Sprintf(objectForm, "b"))
	put("two.json", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"notification.toolkit.fluxcd.io/v1beta1","kind":"Alert",
		"metadata":{"name":"c","namespace":"apps"},"spec":{"providerRef":{"name":"provider"},"eventSources":[{"kind":"Kustomization","name":"*"}]}}]}`)
	put("ignored.txt", "not an object")
	put("deeper/three.yml", fmt.Sprintf(objectForm, "d"))
	event := write(t, "event.yaml", "involvedObject: {kind: Kustomization, namespace: apps, name: shop}\nseverity: info\n")

	asked := func(args ...string) []string {
		got := run(t, fmt.Sprintf(objectForm, "stdin"), append([]string{"explain", "-f", event}, args...)...)
		var names []string
		for _, line := range lines(got.out) {
			if _, rest, ok := strings.Cut(line, "apps/"); ok && strings.HasPrefix(line, "no ") {
				name, _, _ := strings.Cut(rest, ":")
				names = append(names, name)
			}
		}
		if got.code != exitNo {
			t.Errorf("%v: code %d: %s", args, got.code, got.err)
		}
		return names
	}
	if got, want := asked("-f", dir), []string{"a", "b", "c"}; !slices.Equal(got, want) {
		t.Errorf("a directory has %q, want %q", got, want)
	}
	if got, want := asked("-R", "-f", dir, "-f", "-"), []string{"a", "b", "c", "d", "stdin"}; !slices.Equal(got, want) {
		t.Errorf("a directory with all below, and stdin, have %q, want %q", got, want)
	}
}

// TestSameUID has an exported Alert, and copies of it that were renamed: each is held to its own rules.
func TestSameUID(t *testing.T) {
	const form = "---\napiVersion: notification.toolkit.fluxcd.io/v1beta3\nkind: Alert\n" +
		"metadata: {name: %s, namespace: apps, generation: 1, uid: 4c8d9a0e-0000-4000-8000-000000000001}\n" +
		"spec: {providerRef: {name: provider}, eventSources: [%s], exclusionList: [%s]}\n"
	const source = "{kind: Kustomization, name: shop}"
	objects := fmt.Sprintf(form, "alert", source, "finished") + fmt.Sprintf(form, "copy", source, "other") +
		fmt.Sprintf(form, "more", "{kind: Kustomization, name: none}, "+source, "finished")
	got := run(t, theObjects+objects, "explain", "-f", write(t, "event.json", theEvent), "-f", "-")
	for _, want := range []string{
		`no   apps/alert: spec.exclusionList[0] "finished" matches the message "Reconciliation finished in 1s": remove it, or make it narrower`,
		"yes  apps/copy: goes to Provider 'apps/provider' (slack)",
		`no   apps/more: spec.exclusionList[0] "finished" matches the message "Reconciliation finished in 1s": remove it, or make it narrower`,
	} {
		if got.code != exitYes || !slices.Contains(lines(got.out), want) {
			t.Errorf("code %d\ngot:  %s%s\nwant: %s", got.code, got.out, got.err, want)
		}
	}
}

// TestUnknown has what keeps a subcommand from an answer: the exit code is 2, and the error says what is wrong without
// quoting a file.
func TestUnknown(t *testing.T) {
	event := write(t, "event.json", theEvent)
	objects := write(t, "objects.yaml", theObjects)
	for _, test := range []struct {
		name, stdin string
		args        []string
		want        string
	}{
		{"no event", theObjects, []string{"explain", "-f", "-"}, "-f: no file has an event"},
		{"no cluster", theEvent, []string{"explain", "-f", "-"}, "no file has a Kubernetes object, and no cluster can be asked"},
		{"broken event", `{"involvedObject":{"kind":1}}`, []string{"explain", "-f", "-", "-f", objects}, `stdin: event: field "involvedObject.kind"`},
		{"no YAML", "planted: [", []string{"explain", "-f", "-"}, "stdin: neither YAML nor JSON"},
		{"neither", "planted: 1", []string{"explain", "-f", "-"}, "stdin: neither an event"},
		{"broken Secret", "kind: Secret\napiVersion: v1\nmetadata: {name: s}\ndata: {token: planted!}", []string{"explain", "-f", "-", "-f", event}, "stdin: Secret s: data is not base64"},
		{"no file", "", []string{"explain", "-f", "/does/not/exist"}, "/does/not/exist"},
		{"no such Alert", "", []string{"explain", "-f", event, "-f", objects, "--alert", "other"}, `--alert: there is no Alert "other"`},
		{"no such Provider", "", []string{"render", "-f", event, "-f", objects, "--provider", "provider"}, "there is no Provider 'default/provider' (--namespace"},
		{"no Provider", "", []string{"render", "-f", event, "-f", objects}, `required flag(s) "provider" not set`},
		{"no such Receiver", "", []string{"path", "-f", objects, "github"}, "there is no Receiver 'default/github'"},
		{"two events", "", []string{"render", "-f", event, "-f", event, "-f", objects, "-n", "apps", "--provider", "provider"}, "-f: exactly one event is needed"},
		{"Alert of another Provider", strings.ReplaceAll(theObjects, "providerRef: {name: provider}", "providerRef: {name: other}"),
			[]string{"render", "-f", event, "-f", "-", "-n", "apps", "--provider", "provider", "--alert", "alert"}, `spec.providerRef names "other", not "provider"`},
		{"no request", "", []string{"verify", "-f", objects}, "-f: exactly one HTTP request is needed"},
		{"output", "", []string{"explain", "-f", event, "-o", "yaml"}, `--output: "yaml" is not json`},
		{"gate", "", []string{"explain", "-f", event, "--feature-gates=A=b"}, `--feature-gates: A: "b" is neither true nor false`},
		{"default ServiceAccount", "", []string{"explain", "-f", event, "--default-service-account=a"}, "--default-service-account needs --feature-gates=ObjectLevelWorkloadIdentity=true"},
		{"denied ranges", "", []string{"verify", "-f", event, "--provider-deny-cidrs=a"}, `--provider-deny-cidrs: "a" is not a range of addresses`},
		{"unknown flag", "", []string{"explain", "--metrics-addr=:8080"}, "unknown flag: --metrics-addr"},
		{"argument", "", []string{"explain", "event.json"}, `unknown command "event.json"`},
	} {
		t.Run(test.name, func(t *testing.T) {
			got := run(t, test.stdin, test.args...)
			if got.code != exitUnknown || got.out != "" || !strings.HasPrefix(got.err, "error: ") || !strings.Contains(got.err, test.want) {
				t.Errorf("code %d, stdout %q\ngot:  %s\nwant: %s", got.code, got.out, got.err, test.want)
			}
			if strings.Contains(got.err, "planted") {
				t.Errorf("it quotes a file: %s", got.err)
			}
		})
	}
}

// TestUnknownField warns of what the API server would leave out.
func TestUnknownField(t *testing.T) {
	objects := strings.Replace(theObjects, "eventSeverity:", "eventSeverty:", 1)
	got := run(t, objects, "explain", "-f", write(t, "event.json", theEvent), "-f", "-")
	if want := `warning: stdin: alert: unknown field "spec.eventSeverty"` + "\n"; got.code != exitYes || got.err != want {
		t.Errorf("code %d\ngot:  %q\nwant: %q", got.code, got.err, want)
	}
}

// TestLabels asks for labels of an object in a file.
func TestLabels(t *testing.T) {
	event := write(t, "event.json", theEvent)
	objects := strings.Replace(theObjects, "name: shop}", "name: '*', matchLabels: {team: a}}", 1)
	const object = "\n---\napiVersion: kustomize.toolkit.fluxcd.io/v1\nkind: Kustomization\nmetadata: {name: shop, namespace: apps, labels: {team: a}}\n"
	if got := run(t, objects+object, "explain", "-f", event, "-f", "-"); got.code != exitYes {
		t.Errorf("not selected by its label: %s%s", got.out, got.err)
	}
	// Of two with the same name the last counts, as with kubectl apply.
	if got := run(t, objects+object+strings.Replace(object, "team: a", "team: b", 1), "explain", "-f", event, "-f", "-"); got.code != exitNo {
		t.Errorf("selected by a label that was replaced: %s%s", got.out, got.err)
	}
	got := run(t, objects, "explain", "-f", event, "-f", "-")
	if want := "note: get the labels of Kustomization/apps/shop for spec.eventSources[0]: Kustomization apps/shop: not found: no file has it"; !slices.Contains(lines(got.out), want) {
		t.Errorf("got:  %s\nwant: %s", got.out, want)
	}
}

// TestServiceAccount needs the gate, as in the server.
func TestServiceAccount(t *testing.T) {
	event := write(t, "event.json", theEvent)
	objects := strings.Replace(theObjects, "suspend: false # the Provider", "serviceAccountName: reporter", 1)
	got := run(t, objects, "explain", "-f", event, "-f", "-")
	if got.code != exitNo || !strings.Contains(got.out, "needs the feature gate ObjectLevelWorkloadIdentity") {
		t.Errorf("without the gate: %s", got.out)
	}
	if got := run(t, objects, "explain", "-f", event, "-f", "-", "--feature-gates=ObjectLevelWorkloadIdentity=true"); got.code != exitYes {
		t.Errorf("with the gate: %s", got.out)
	}
}
