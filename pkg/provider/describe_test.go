package provider

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/event"
)

func TestShortName(t *testing.T) {
	o := event.ObjectReference{Kind: "HelmRelease", Namespace: "apps", Name: "Web-App"}
	if got, want := ShortName(o), "helmrelease/web-app"; got != want {
		t.Errorf("ShortName = %q, want %q", got, want)
	}
}

func TestDescribe(t *testing.T) {
	for reason, want := range map[string]string{
		"":                        "",
		"reason":                  "reason",
		"HealthCheckFailed":       "health check failed",
		"ReconciliationSucceeded": "reconciliation succeeded",
		"OCIArtifactFailed":       "oci artifact failed",
		"BuildFailed2Times":       "build failed 2 times",
		"ArtifactOCI":             "artifact oci",
		"foo-bar_Baz":             "foo - bar _ baz",
		"ÄrgerÜber":               "ärger über",
	} {
		if got := Describe(reason); got != want {
			t.Errorf("Describe(%q) = %q, want %q", reason, got, want)
		}
	}
}
