package app

import (
	"fmt"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

// TestNoCrossNamespaceRefs asks for objects of another namespace on every path. Nothing comes of it, and no answer tells
// what there is.
func TestNoCrossNamespaceRefs(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	foreign := ns + "-b"
	cp.Kubectl(t, "create", "namespace", foreign)
	s := newSink(t, nil)
	source := func(name, reference string) string {
		return strings.Replace(alertAndProvider(ns, name, "{type: generic, address: '"+s.URL+"/"+name+"'}"), "{kind: Kustomization, name: '*'}", reference, 1)
	}
	at := ", namespace: " + foreign + "}"
	alerts := map[string]string{
		"own":           "{kind: GitRepository, name: '*'}",
		"exact":         "{kind: GitRepository, name: webapp" + at,
		"wildcard":      "{kind: GitRepository, name: '*'" + at,
		"labels":        "{kind: GitRepository, name: '*', matchLabels: {team: web}" + at,
		"labels-absent": "{kind: GitRepository, name: '*', matchLabels: {team: none}" + at,
	}
	manifests := gitRepository(ns, "webapp") + gitRepository(foreign, "webapp")
	for name, reference := range alerts {
		manifests += source(name, reference)
	}
	receivers := map[string]string{
		"exact":         "{kind: GitRepository, name: webapp" + at,
		"missing":       "{kind: GitRepository, name: missing" + at,
		"labels":        "{kind: GitRepository, name: '*', matchLabels: {team: web}" + at,
		"labels-absent": "{kind: GitRepository, name: '*', matchLabels: {team: none}" + at,
		"all":           "{kind: GitRepository, name: '*', matchLabels: {}" + at,
	}
	for name, reference := range receivers {
		manifests += strings.Replace(githubReceiver(ns, name), "{kind: GitRepository, name: webapp}", reference, 1) +
			secretManifest(ns, name, map[string]string{"token": planted})
	}
	cp.Apply(t, manifests)
	c := start(t, cp, func(o *Options) { o.NoCrossNamespace = true })

	send := func(namespace, message string) {
		t.Helper()
		body := fmt.Sprintf(`{"involvedObject":{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","name":"webapp","namespace":%q},"severity":"info","message":%q}`, namespace, message)
		if status, _ := c.post(body); status != http.StatusAccepted {
			t.Fatalf("status %d", status)
		}
	}
	send(foreign, "of the other namespace")
	send(ns, "of its own")
	if path := s.wait(t, 1, "of its own")[0].path; path != "/own" {
		t.Errorf("came to %s", path)
	}
	if y := balance(t, ns, c); y.matches != 1 {
		t.Errorf("%+v", y)
	}
	if got := s.got("of the other namespace"); len(got) > 0 {
		t.Errorf("an event of another namespace came: %+v", got)
	}
	if found := linesWith(logs.String(), "get the labels of GitRepository/"+foreign); len(found) > 0 {
		t.Errorf("labels were looked up: %s", found)
	}

	answers := map[string][]string{}
	for name := range receivers {
		path := receiver(t, cp, ns, name, "True").Status.WebhookPath
		c.knows(path)
		status, text := c.call(path, planted, `{}`)
		answer := fmt.Sprintf("%d %s", status, text)
		answers[answer] = append(answers[answer], name)
		if status != http.StatusInternalServerError {
			t.Errorf("Receiver %s answers %s", name, answer)
		}
	}
	if len(answers) != 1 {
		t.Errorf("the answers tell what there is: %v", answers)
	}
	if got := annotation(t, cp, foreign, "webapp"); got != "" {
		t.Errorf("the object of the other namespace was annotated: %s", got)
	}
	if text := warning(t, cp, ns, "Receiver", "exact", "ReconcileRequestFailed"); !strings.Contains(text, "--no-cross-namespace-refs") {
		t.Errorf("Warning %q", text)
	}
	if text := warning(t, cp, ns, "Alert", "wildcard", "InvalidConfig"); !strings.Contains(text, "--no-cross-namespace-refs") {
		t.Errorf("Warning %q", text)
	}
}

// TestOneNamespace runs with the rights of a Role in its own namespace, and none elsewhere.
func TestOneNamespace(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	s := newSink(t, nil)
	for _, file := range []string{"rbac/service-account.yaml", "rbac/leader-election.yaml", "one-namespace/role.yaml"} {
		manifest, err := os.ReadFile("../../manifests/" + file)
		if err != nil {
			t.Fatal(err)
		}
		cp.Apply(t, strings.ReplaceAll(string(manifest), "namespace: flux-system", "namespace: "+ns))
	}
	elsewhere := ns + "-b"
	cp.Kubectl(t, "create", "namespace", elsewhere)
	own := alertAndProvider(ns, "alert", "{type: generic, secretRef: {name: address}}") +
		strings.Replace(alertAndProvider(ns, "labels", "{type: generic, address: '"+s.URL+"/labels'}"), "{kind: Kustomization, name: '*'}", "{kind: GitRepository, name: '*', matchLabels: {team: web}}", 1) +
		secretManifest(ns, "address", map[string]string{"address": s.URL + "/" + planted})
	cp.Apply(t, own+gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": planted})+
		alertAndProvider(elsewhere, "foreign", "{type: generic, address: '"+s.URL+"'}"))
	config := cp.TokenConfig(t, ns, "notification-controller")
	c := start(t, cp, func(o *Options) {
		o.Kubeconfig, o.RuntimeNamespace, o.AllNamespaces = config, ns, false
		o.LeaderElection = true
		o.LeaseDuration, o.RenewDeadline, o.RetryPeriod = 5*time.Second, 4*time.Second, time.Second
	})

	c.accepts(ns, s, "of the namespace", 1)
	c.accepts(elsewhere, s, "of another", 0)
	path := receiver(t, cp, ns, "github", "True").Status.WebhookPath
	eventually(t, "the objects to be read", func() error {
		if status, text := c.call(path, planted, `{}`); status != http.StatusAccepted {
			return fmt.Errorf("status %d: %s", status, text)
		}
		return nil
	})
	eventually(t, "the annotation", func() error {
		if annotation(t, cp, ns, "webapp") == "" {
			return fmt.Errorf("none")
		}
		return nil
	})
	body := fmt.Sprintf(`{"involvedObject":{"apiVersion":"source.toolkit.fluxcd.io/v1","kind":"GitRepository","name":"webapp","namespace":%q},"severity":"info","message":"by label"}`, ns)
	if status, _ := c.post(body); status != http.StatusAccepted {
		t.Fatalf("status %d", status)
	}
	s.wait(t, 1, "by label")
	cp.Apply(t, alertAndProvider(ns, "broken", "{type: generic, address: 'not a url'}"))
	if text := warning(t, cp, ns, "Provider", "broken", "InvalidConfig"); !strings.Contains(text, "spec.address") {
		t.Errorf("Warning %q", text)
	}
	balance(t, ns, c)
	for _, line := range linesWith(logs.String(), "forbidden") {
		if strings.Contains(line, ns+":notification-controller") {
			t.Errorf("something is not allowed: %s", line)
		}
	}
}

// TestDenyExample has the documented example be one that the flag takes.
func TestDenyExample(t *testing.T) {
	content, err := os.ReadFile("../../manifests/README.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, found := strings.Cut(string(content), "value: --provider-deny-cidrs=")
	ranges, _, _ := strings.Cut(rest, "\n")
	options := DefaultOptions()
	options.ProviderDenyCIDRs = strings.Split(ranges, ",")
	if err := options.Validate(); err != nil || !found {
		t.Errorf("%q: %v", ranges, err)
	}
}
