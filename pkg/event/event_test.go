package event

import (
	"encoding/hex"
	"encoding/json"
	"maps"
	"reflect"
	"testing"
	"time"
)

func TestEncodingOrder(t *testing.T) {
	e, err := Decode([]byte(filled))
	if err != nil {
		t.Fatal(err)
	}
	got, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"involvedObject":{"kind":"Kustomization","namespace":"apps","name":"shop","uid":"1f0c5c0e-5b0e-4a55-9a0c-0d2f3a6f7b11","apiVersion":"kustomize.toolkit.fluxcd.io/v1","resourceVersion":"42","fieldPath":"spec"},` +
		`"severity":"error","timestamp":"2026-08-07T10:15:30Z","message":"Health check failed after 30s: timeout waiting for Deployment/apps/shop","reason":"HealthCheckFailed",` +
		`"metadata":{"event.toolkit.fluxcd.io/summary":"shop frontend","kustomize.toolkit.fluxcd.io/revision":"main@sha1:a1b2c3","kustomize.toolkit.fluxcd.io/token":"7"},` +
		`"reportingController":"kustomize-controller","reportingInstance":"kustomize-controller-6d9f7c-x2x9p"}`
	if string(got) != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestGroup(t *testing.T) {
	for apiVersion, want := range map[string]string{
		"kustomize.toolkit.fluxcd.io/v1": "kustomize.toolkit.fluxcd.io",
		"apps/v1":                        "apps",
		"v1":                             "",
		"":                               "",
		"/":                              "",
		"/v1":                            "",
		"apps/":                          "apps",
		"a/b/c":                          "",
	} {
		if got := (ObjectReference{APIVersion: apiVersion}).Group(); got != want {
			t.Errorf("%q: got %q, want %q", apiVersion, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	r := ObjectReference{Kind: "HelmRelease", Namespace: "Apps", Name: "Shop"}
	if got, want := r.String(), "HelmRelease/Apps/Shop"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := r.Dotted(), "helmrelease/Shop.Apps"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestKinds checks what decides which types of Provider an event goes to.
func TestKinds(t *testing.T) {
	for _, test := range []struct {
		name                    string
		apiVersion, key, value  string
		update, commit, request bool
	}{
		{"update", "g/v1", "g/commit_status", "update", true, false, false},
		{"other value", "g/v1", "g/commit_status", "Update", false, false, false},
		{"other group", "g/v1", "h/commit_status", "update", false, false, false},
		{"common group", "g/v1", "event.toolkit.fluxcd.io/commit_status", "update", false, false, false},
		{"no group", "v1", "/commit_status", "update", true, false, false},
		{"commit", "g/v1", "event.toolkit.fluxcd.io/commit", "sha1:1", false, true, false},
		{"empty commit", "g/v1", "event.toolkit.fluxcd.io/commit", "", false, false, false},
		{"commit of the group", "g/v1", "g/commit", "sha1:1", false, false, false},
		{"change request", "g/v1", "event.toolkit.fluxcd.io/change_request", "7", false, false, true},
		{"empty change request", "g/v1", "event.toolkit.fluxcd.io/change_request", "", false, false, false},
		{"change request of the group", "g/v1", "g/change_request", "7", false, false, false},
	} {
		e := &Event{InvolvedObject: ObjectReference{APIVersion: test.apiVersion}, Metadata: map[string]string{test.key: test.value}}
		if e.IsCommitStatusUpdate() != test.update || e.HasCommit() != test.commit || e.HasChangeRequest() != test.request {
			t.Errorf("%s: update %t, commit %t, change request %t", test.name, e.IsCommitStatusUpdate(), e.HasCommit(), e.HasChangeRequest())
		}
	}
	for severity, want := range map[string]bool{"error": true, "Error": false, "info": false, "trace": false, "": false} {
		if got := (&Event{Severity: severity}).IsError(); got != want {
			t.Errorf("severity %q is an error: %t", severity, got)
		}
	}
}

func TestClean(t *testing.T) {
	for _, test := range []struct {
		name, apiVersion string
		metadata, want   map[string]string
	}{
		{"nothing", "g/v1", nil, nil},
		{"nothing left", "g/v1", map[string]string{"a": "1", "deployment.apps/backend": "created"}, nil},
		{
			"prefixes", "g/v1",
			map[string]string{"g/revision": "1", "g/aa/bb": "2", "event.toolkit.fluxcd.io/a": "3", "h/a": "4", "gg/a": "5", "G/a": "6", "g": "7", "Event.toolkit.fluxcd.io/a": "8"},
			map[string]string{"g/revision": "1", "g/aa/bb": "2", "event.toolkit.fluxcd.io/a": "3"},
		},
		{
			"checksums", "g/v1",
			map[string]string{"g/checksum": "1", "g/CheckSum": "2", "g/digest": "3", "g/DIGEST": "4", "g/digests": "5", "g/oci-digest": "6", "event.toolkit.fluxcd.io/checksum": "7", "g/token": "8"},
			map[string]string{"g/digests": "5", "g/oci-digest": "6", "event.toolkit.fluxcd.io/checksum": "7", "g/token": "8"},
		},
		{
			"no group", "v1",
			map[string]string{"/a": "1", "/checksum": "2", "a": "3", "v1/a": "4", "event.toolkit.fluxcd.io/a": "5"},
			map[string]string{"/a": "1", "event.toolkit.fluxcd.io/a": "5"},
		},
		{"malformed apiVersion", "a/b/c", map[string]string{"a/x": "1", "/x": "2"}, map[string]string{"/x": "2"}},
		{"empty name", "g/v1", map[string]string{"g/": "1"}, map[string]string{"g/": "1"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := &Event{InvolvedObject: ObjectReference{APIVersion: test.apiVersion}, Metadata: maps.Clone(test.metadata)}
			got := Clean(e)
			if !reflect.DeepEqual(got, test.want) {
				t.Errorf("got %v, want %v", got, test.want)
			}
			if !maps.Equal(e.Metadata, test.metadata) {
				t.Errorf("the event has changed: %v", e.Metadata)
			}
			e.Metadata = got
			if again := Clean(e); !maps.Equal(again, got) {
				t.Errorf("cleaned twice: %v", again)
			}
		})
	}
}

func TestDropInternal(t *testing.T) {
	e := &Event{
		InvolvedObject: ObjectReference{APIVersion: "g/v1"},
		Metadata:       map[string]string{"g/token": "1", "g/Token": "2", "event.toolkit.fluxcd.io/token": "3", "g/a": "4"},
	}
	e.DropInternal()
	if want := map[string]string{"g/Token": "2", "event.toolkit.fluxcd.io/token": "3", "g/a": "4"}; !maps.Equal(e.Metadata, want) {
		t.Errorf("got %v, want %v", e.Metadata, want)
	}
	(&Event{}).DropInternal()
}

func TestMerge(t *testing.T) {
	for _, test := range []struct {
		name, apiVersion    string
		metadata, alert     map[string]string
		summary             string
		want, wantConflicts map[string]string
	}{
		{"nothing", "g/v1", nil, nil, "", nil, nil},
		{"prefixes", "g/v1", map[string]string{"g/a": "1", "event.toolkit.fluxcd.io/b": "2"}, map[string]string{"c": "3", "g/d": "4"}, "5",
			map[string]string{"a": "1", "b": "2", "c": "3", "g/d": "4", "summary": "5"}, nil},
		{"the Alert before annotations", "g/v1", map[string]string{"event.toolkit.fluxcd.io/a": "1"}, map[string]string{"a": "2"}, "",
			map[string]string{"a": "2"}, map[string]string{"a": "involved object annotations, Alert object .spec.eventMetadata"}},
		{"the summary before the Alert's metadata", "g/v1", nil, map[string]string{"summary": "1"}, "2",
			map[string]string{"summary": "2"}, map[string]string{"summary": "Alert object .spec.eventMetadata, Alert object .spec.summary"}},
		{"the controller before all", "g/v1", map[string]string{"event.toolkit.fluxcd.io/summary": "1", "g/summary": "4"}, map[string]string{"summary": "2"}, "3",
			map[string]string{"summary": "4"}, map[string]string{"summary": "involved object annotations, Alert object .spec.eventMetadata, Alert object .spec.summary, involved object controller metadata"}},
		{"equal values are a conflict too", "g/v1", map[string]string{"g/a": "1", "event.toolkit.fluxcd.io/a": "1"}, nil, "",
			map[string]string{"a": "1"}, map[string]string{"a": "involved object annotations, involved object controller metadata"}},
		{"an empty summary is none", "g/v1", map[string]string{"event.toolkit.fluxcd.io/summary": "1"}, nil, "", map[string]string{"summary": "1"}, nil},
		{"no group", "v1", map[string]string{"/a": "1", "event.toolkit.fluxcd.io/b": "2"}, nil, "", map[string]string{"a": "1", "b": "2"}, nil},
		{"deep keys", "g/v1", map[string]string{"g/a/b": "1"}, nil, "", map[string]string{"a/b": "1"}, nil},
	} {
		t.Run(test.name, func(t *testing.T) {
			e := &Event{InvolvedObject: ObjectReference{APIVersion: test.apiVersion}, Metadata: maps.Clone(test.metadata)}
			got, conflicts := Merge(e, test.alert, test.summary)
			if !reflect.DeepEqual(got, test.want) || !reflect.DeepEqual(conflicts, test.wantConflicts) {
				t.Errorf("got  %v, conflicts %v\nwant %v, conflicts %v", got, conflicts, test.want, test.wantConflicts)
			}
			if !maps.Equal(e.Metadata, test.metadata) {
				t.Errorf("the event has changed: %v", e.Metadata)
			}
			// Alerts must not share a map.
			if got != nil {
				got["changed"] = "x"
				if _, ok := test.alert["changed"]; ok {
					t.Error("the result is the Alert's own map")
				}
			}
		})
	}
}

func TestFingerprint(t *testing.T) {
	base := func() *Event {
		return &Event{
			InvolvedObject: ObjectReference{Kind: "Kustomization", Namespace: "apps", Name: "shop", APIVersion: "kustomize.toolkit.fluxcd.io/v1"},
			Message:        "Reconciliation finished",
			Metadata: map[string]string{
				"kustomize.toolkit.fluxcd.io/originRevision": "main@sha1:a1b2c3",
				"kustomize.toolkit.fluxcd.io/revision":       "latest@sha256:d4e5f6",
				"kustomize.toolkit.fluxcd.io/token":          "7",
			},
		}
	}
	plain := base()
	plain.Message, plain.Metadata = "Health check passed", nil
	for want, e := range map[string]*Event{
		"4503f1f1893fc607794cb1137b120ab0525b68e1c9decabb9a777184d6bc5e96": plain,
		"cc9eb926452578aa58454194bca5927a9b93ea9b48414f3fe0304c39d9761050": base(),
		"3856fef80cfb578673b4b7f0c9f289a5322e0bdd6b9c7d67f9508e4abf7292a4": {},
	} {
		sum := Fingerprint(e)
		if got := hex.EncodeToString(sum[:]); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}

	for _, test := range []struct {
		name   string
		change func(*Event)
		same   bool
	}{
		{"severity", func(e *Event) { e.Severity = "error" }, true},
		{"reason", func(e *Event) { e.Reason = "x" }, true},
		{"uid", func(e *Event) { e.InvolvedObject.UID = "x" }, true},
		{"version", func(e *Event) { e.InvolvedObject.APIVersion = "kustomize.toolkit.fluxcd.io/v2" }, true},
		{"time", func(e *Event) { e.Timestamp = Timestamp{time.Now()} }, true},
		{"sender", func(e *Event) { e.ReportingController, e.ReportingInstance = "x", "y" }, true},
		{"other metadata", func(e *Event) { e.Metadata["kustomize.toolkit.fluxcd.io/x"] = "y" }, true},
		{"common revision", func(e *Event) { e.Metadata[CommonPrefix+KeyRevision] = "y" }, true},
		{"id", func(e *Event) { e.ID = "x" }, true},
		{"name", func(e *Event) { e.InvolvedObject.Name = "x" }, false},
		{"namespace", func(e *Event) { e.InvolvedObject.Namespace = "x" }, false},
		{"kind", func(e *Event) { e.InvolvedObject.Kind = "x" }, false},
		{"message", func(e *Event) { e.Message += " " }, false},
		{"revision", func(e *Event) { e.Metadata["kustomize.toolkit.fluxcd.io/revision"] = "x" }, false},
		{"empty token", func(e *Event) { e.Metadata["kustomize.toolkit.fluxcd.io/token"] = "" }, false},
		{"no token", func(e *Event) { delete(e.Metadata, "kustomize.toolkit.fluxcd.io/token") }, false},
	} {
		e := base()
		test.change(e)
		if (Fingerprint(e) == Fingerprint(base())) != test.same {
			t.Errorf("%s: the same: %t", test.name, !test.same)
		}
	}
	empty, missing := base(), base()
	empty.Metadata["kustomize.toolkit.fluxcd.io/token"] = ""
	delete(missing.Metadata, "kustomize.toolkit.fluxcd.io/token")
	if Fingerprint(empty) == Fingerprint(missing) {
		t.Error("an empty token is the same as none")
	}
}

func TestSize(t *testing.T) {
	small := (&Event{}).Size()
	e := &Event{Message: "four", Metadata: map[string]string{"four": "four"}, ReportingInstance: "four"}
	e.InvolvedObject.FieldPath = "four"
	const entry = 128
	if got := e.Size(); got != small+20+entry {
		t.Errorf("got %d, want %d", got, small+20+entry)
	}
}
