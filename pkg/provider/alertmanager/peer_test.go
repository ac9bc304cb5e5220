package alertmanager

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/peertest"
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/providertest"
)

// TestPeer talks to a real Alertmanager.
func TestPeer(t *testing.T) {
	url := startAlertmanager(t)
	plain := func(string) provider.Config { return provider.Config{Address: url + "/api/v2/alerts/"} }
	recovering := plain(url)
	recovering.Resolve = true

	failed, succeeded := providertest.LongNotification(), providertest.InfoNotification()
	failed.Event.InvolvedObject = succeeded.Event.InvolvedObject
	for key := range failed.Event.Metadata {
		// Label names have no hyphens before Alertmanager 0.27.
		if strings.Contains(key, "-") {
			delete(failed.Event.Metadata, key)
		}
	}
	failed.Event.Timestamp = event.Timestamp{Time: time.Now().Add(-time.Second)}
	succeeded.Event.Timestamp = event.Timestamp{Time: time.Now()}

	for _, step := range []struct {
		name string
		cfg  provider.Config
		n    *provider.Notification
		want []string
	}{
		{"failure", recovering, failed, []string{"FluxKustomizationFailed"}},
		{"failure again", recovering, failed, []string{"FluxKustomizationFailed"}},
		{"success", recovering, succeeded, nil},
		{"success again", recovering, succeeded, nil},
		{"failure after success", recovering, failed, []string{"FluxKustomizationFailed"}},
		{"success after that", recovering, succeeded, nil},
		{"failure without recovery", plain(url), failed, []string{"FluxKustomizationHealthcheckfailed"}},
	} {
		if err := providertest.Attempt(t, New, step.cfg, step.n); err != nil {
			t.Fatalf("%s: %v", step.name, err)
		}
		if got := activeAlerts(t, url); strings.Join(got, ",") != strings.Join(step.want, ",") {
			t.Errorf("%s: active are %v, want %v", step.name, got, step.want)
		}
	}
}

// startAlertmanager returns the URL of an Alertmanager that ends with the test.
func startAlertmanager(t *testing.T) string {
	program := peertest.Find(t, "peers", "prometheus-alertmanager")
	dir := t.TempDir()
	config := filepath.Join(dir, "alertmanager.yml")
	if err := os.WriteFile(config, []byte("route: {receiver: none}\nreceivers: [{name: none}]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	address := peertest.Address(t).String()
	url := "http://" + address
	server := exec.Command(program, "--config.file="+config, "--storage.path="+dir, "--web.listen-address="+address, "--cluster.listen-address=")
	peertest.Start(t, server, func() bool { return peertest.Answers(url + "/-/ready") })
	return url
}

// activeAlerts returns the names of the alerts that are not resolved.
func activeAlerts(t *testing.T, url string) []string {
	response, err := http.Get(url + "/api/v2/alerts?active=true")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	var alerts []struct {
		Labels map[string]string `json:"labels"`
	}
	if err := json.Unmarshal(body, &alerts); err != nil {
		t.Fatalf("%v: %s", err, body)
	}
	var names []string
	for _, a := range alerts {
		names = append(names, a.Labels["alertname"])
	}
	return names
}
