package app

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
)

// TestStatusPage looks for what happened in the data of the page, and for secrets.
func TestStatusPage(t *testing.T) {
	cp := shared(t)
	ns := namespace(t, cp)
	refusing := newSink(t, func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "no such webhook: "+r.URL.Path, http.StatusNotFound)
	})
	cp.Apply(t, alertAndProvider(ns, "refused", "{type: generic, address: '"+refusing.URL+"/"+planted+"'}")+
		gitRepository(ns, "webapp")+githubReceiver(ns, "github")+secretManifest(ns, "github", map[string]string{"token": planted}))
	c := start(t, cp, func(o *Options) { o.StatusPage = true })
	c.settle(ns, "refused")
	r := receiver(t, cp, ns, "github", "True")
	c.knows(r.Status.WebhookPath)
	for range 2 {
		c.post(eventJSON(ns, "hello"))
	}
	c.call(r.Status.WebhookPath, "wrong", `{}`)
	eventually(t, "the page to say all", func() error {
		status, page := c.get("/status/data.json?object=" + ns)
		for _, want := range []string{"Kustomization/" + ns + "/shop", `"result":"accepted"`, `"asked":1,"matches":1`, "repeated", `"result":"failed","reason":"not_found"`, "404", ns + "/github", "Ready: True", "not_authentic"} {
			if status != http.StatusOK || !strings.Contains(page, want) {
				return fmt.Errorf("status %d, no %q", status, want)
			}
		}
		for _, secret := range []string{planted, strings.TrimPrefix(r.Status.WebhookPath, "/hook/")} {
			if strings.Contains(page, secret) {
				t.Errorf("the page tells %q", secret)
			}
		}
		return nil
	})
	if status, page := c.get("/status"); status != http.StatusOK || !strings.Contains(page, "/status/page.js") {
		t.Errorf("the page: status %d: %s", status, page)
	}
	if status, _ := start(t, cp, nil).get("/status"); status != http.StatusNotFound {
		t.Errorf("status %d without the flag", status)
	}
}

// get asks the metrics server for a path.
func (c *process) get(path string) (int, string) {
	c.t.Helper()
	resp, err := http.Get("http://" + c.MetricsAddress() + path)
	if err != nil {
		c.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		c.t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}
