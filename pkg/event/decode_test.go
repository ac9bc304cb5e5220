package event

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"strings"
	"testing"
	"time"
)

const filled = `{
  "involvedObject": {"apiVersion": "kustomize.toolkit.fluxcd.io/v1", "kind": "Kustomization",
    "namespace": "apps", "name": "shop", "uid": "1f0c5c0e-5b0e-4a55-9a0c-0d2f3a6f7b11",
    "resourceVersion": "42", "fieldPath": "spec"},
  "severity": "error",
  "timestamp": "2026-08-07T10:15:30Z",
  "message": "Health check failed after 30s: timeout waiting for Deployment/apps/shop",
  "reason": "HealthCheckFailed",
  "metadata": {
    "kustomize.toolkit.fluxcd.io/revision": "main@sha1:a1b2c3",
    "kustomize.toolkit.fluxcd.io/token": "7",
    "event.toolkit.fluxcd.io/summary": "shop frontend"
  },
  "reportingController": "kustomize-controller",
  "reportingInstance": "kustomize-controller-6d9f7c-x2x9p"
}`

func TestDecode(t *testing.T) {
	e, err := Decode([]byte(filled))
	if err != nil {
		t.Fatal(err)
	}
	want := &Event{
		InvolvedObject: ObjectReference{
			Kind: "Kustomization", Namespace: "apps", Name: "shop", UID: "1f0c5c0e-5b0e-4a55-9a0c-0d2f3a6f7b11",
			APIVersion: "kustomize.toolkit.fluxcd.io/v1", ResourceVersion: "42", FieldPath: "spec",
		},
		Severity:  "error",
		Timestamp: Timestamp{time.Date(2026, time.August, 7, 10, 15, 30, 0, time.UTC)},
		Message:   "Health check failed after 30s: timeout waiting for Deployment/apps/shop",
		Reason:    "HealthCheckFailed",
		Metadata: map[string]string{
			"kustomize.toolkit.fluxcd.io/revision": "main@sha1:a1b2c3",
			"kustomize.toolkit.fluxcd.io/token":    "7",
			"event.toolkit.fluxcd.io/summary":      "shop frontend",
		},
		ReportingController: "kustomize-controller",
		ReportingInstance:   "kustomize-controller-6d9f7c-x2x9p",
	}
	if !reflect.DeepEqual(e, want) {
		t.Errorf("got  %+v\nwant %+v", e, want)
	}
}

// TestDecodeForgives holds documents that are taken, with what they are when they are encoded again.
func TestDecodeForgives(t *testing.T) {
	const nothing = `{"involvedObject":{},"severity":"","timestamp":null,"message":"","reason":"","reportingController":""}`
	at := func(timestamp string) string {
		return strings.Replace(nothing, `"timestamp":null`, `"timestamp":"`+timestamp+`"`, 1)
	}
	for _, test := range []struct{ name, body, want string }{
		{"nothing", `{}`, nothing},
		{"null", `null`, nothing},
		{"space", " \n{}\t\r\n", nothing},
		{"null for everything", `{"involvedObject":null,"severity":null,"timestamp":null,"message":null,"reason":null,"metadata":null,"reportingController":null,"reportingInstance":null}`, nothing},
		{"null in the object", `{"involvedObject":{"kind":null,"name":null}}`, nothing},
		{"null in the metadata", `{"metadata":{"a":null}}`, strings.Replace(nothing, `"reporting`, `"metadata":{"a":""},"reporting`, 1)},
		{"empty metadata", `{"metadata":{}}`, nothing},
		{"unknown fields", `{"foo":1,"involvedObject":{"bar":[]}}`, nothing},
		{"no id on the wire", `{"ID":"x","id":"x","-":"x"}`, nothing},
		{"case", `{"SEVERITY":"info","InvolvedObject":{"NAME":"x"}}`, strings.NewReplacer(`"severity":""`, `"severity":"info"`, `{}`, `{"name":"x"}`).Replace(nothing)},
		{"the last one counts", `{"severity":"a","severity":"b"}`, strings.Replace(nothing, `"severity":""`, `"severity":"b"`, 1)},
		{"escapes", `{"message":"\u003c\u2028\ud83d\ude00"}`, strings.Replace(nothing, `"message":""`, `"message":"\u003c\u2028😀"`, 1)},
		{"not UTF-8", "{\"message\":\"a\xffb\"}", strings.Replace(nothing, `"message":""`, `"message":"a�b"`, 1)},
		{"time", `{"timestamp":"2026-08-07T10:15:30Z"}`, at("2026-08-07T10:15:30Z")},
		{"time zone", `{"timestamp":"2026-08-07T12:15:30+02:00"}`, at("2026-08-07T10:15:30Z")},
		{"fraction", `{"timestamp":"2026-08-07T10:15:30.999999999Z"}`, at("2026-08-07T10:15:30Z")},
		{"zero time", `{"timestamp":"0001-01-01T00:00:00Z"}`, nothing},
		{"ts", `{"ts":"2026-08-07T10:15:30Z"}`, at("2026-08-07T10:15:30Z")},
		{"ts and null", `{"ts":"2026-08-07T10:15:30Z","timestamp":null}`, at("2026-08-07T10:15:30Z")},
		{"ts and timestamp", `{"ts":"2020-01-01T00:00:00Z","timestamp":"2026-08-07T10:15:30Z"}`, at("2026-08-07T10:15:30Z")},
		{"ts is a number", `{"ts":1597000000.123}`, nothing},
		{"ts is no time", `{"ts":"yesterday"}`, nothing},
		{"ts is null", `{"ts":null}`, nothing},
	} {
		t.Run(test.name, func(t *testing.T) {
			e, err := Decode([]byte(test.body))
			if err != nil {
				t.Fatal(err)
			}
			got, err := json.Marshal(e)
			if err != nil {
				t.Fatal(err)
			}
			if string(got) != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func TestDecodeErrors(t *testing.T) {
	for _, test := range []struct{ body, field, problem string }{
		{``, "", "not valid JSON at byte 0"},
		{`{`, "", "not valid JSON at byte 1"},
		{`{} x`, "", "not valid JSON at byte 4"},
		{`{}{}`, "", "not valid JSON at byte 3"},
		{"\x1f\x8b\x08gzip", "", "not valid JSON at byte 1"},
		{`{"severity":"planted}`, "", "not valid JSON at byte 21"},
		{`[]`, "", "the document is a JSON array, not an object"},
		{`"planted"`, "", "the document is a JSON string, not an object"},
		{`12345`, "", "the document is a JSON number, not an object"},
		{`true`, "", "the document is a JSON bool, not an object"},
		{`{"severity":5}`, "severity", "a JSON number where a string belongs"},
		{`{"SEVERITY":5}`, "severity", "a JSON number where a string belongs"},
		{`{"message":{"planted":1}}`, "message", "a JSON object where a string belongs"},
		{`{"reason":[]}`, "reason", "a JSON array where a string belongs"},
		{`{"reportingInstance":true}`, "reportingInstance", "a JSON bool where a string belongs"},
		{`{"involvedObject":"planted"}`, "involvedObject", "a JSON string where an object belongs"},
		{`{"involvedObject":{"name":5}}`, "involvedObject.name", "a JSON number where a string belongs"},
		{`{"metadata":["planted"]}`, "metadata", "a JSON array where an object belongs"},
		{`{"metadata":{"b":"planted","a":1}}`, "metadata.a", "a JSON number where a string belongs"},
		{`{"metadata":{"a.b/c":{}}}`, "metadata.a.b/c", "a JSON object where a string belongs"},
		{`{"metadata":{"` + strings.Repeat("é", 1000) + `":1}}`, "metadata." + strings.Repeat("é", 100), "a JSON number where a string belongs"},
		{`{"metadata":{"a":1,"a":"x"}}`, "metadata", "a JSON number where a string belongs"},
		{`{"timestamp":1597000000.123}`, "timestamp", "not an RFC 3339 time"},
		{`{"timestamp":""}`, "timestamp", "not an RFC 3339 time"},
		{`{"timestamp":"planted"}`, "timestamp", "not an RFC 3339 time"},
		{`{"timestamp":"2026-08-07"}`, "timestamp", "not an RFC 3339 time"},
		{`{"timestamp":"2026-08-07 10:15:30Z"}`, "timestamp", "not an RFC 3339 time"},
		{`{"timestamp":{}}`, "timestamp", "not an RFC 3339 time"},
	} {
		e, err := Decode([]byte(test.body))
		var decodeError *DecodeError
		if e != nil || !errors.As(err, &decodeError) {
			t.Errorf("%s: event %+v, error %v", test.body, e, err)
			continue
		}
		if decodeError.Field != test.field || decodeError.Problem != test.problem {
			t.Errorf("%s: got %q %q, want %q %q", test.body, decodeError.Field, decodeError.Problem, test.field, test.problem)
		}
		if strings.Contains(err.Error(), "planted") {
			t.Errorf("%s: the error quotes the document: %v", test.body, err)
		}
	}
}

// TestDecodeBounds takes what is as large as it may be, and names the field and the bound of what is larger.
func TestDecodeBounds(t *testing.T) {
	text := func(body string) func(n int) string {
		return func(n int) string { return strings.Replace(body, "?", strings.Repeat("x", n), 1) }
	}
	entries := func(n int) string {
		metadata := map[string]string{}
		for i := range n {
			metadata[fmt.Sprint(i)] = ""
		}
		body, _ := json.Marshal(map[string]any{"metadata": metadata})
		return string(body)
	}
	fraction := func(n int) string {
		return `{"timestamp":"2026-08-07T10:15:30.` + strings.Repeat("0", n-len("2026-08-07T10:15:30.Z")) + `Z"}`
	}
	const long = "longer than 1024 bytes"
	for _, test := range []struct {
		field, problem string
		body           func(n int) string
		most           int
	}{
		{"involvedObject.kind", long, text(`{"involvedObject":{"kind":"?"}}`), 1024},
		{"involvedObject.namespace", long, text(`{"involvedObject":{"namespace":"?"}}`), 1024},
		{"involvedObject.name", long, text(`{"involvedObject":{"name":"?"}}`), 1024},
		{"involvedObject.uid", long, text(`{"involvedObject":{"uid":"?"}}`), 1024},
		{"involvedObject.apiVersion", long, text(`{"involvedObject":{"apiVersion":"?"}}`), 1024},
		{"involvedObject.resourceVersion", long, text(`{"involvedObject":{"resourceVersion":"?"}}`), 1024},
		{"involvedObject.fieldPath", long, text(`{"involvedObject":{"fieldPath":"?"}}`), 1024},
		{"severity", long, text(`{"severity":"?"}`), 1024},
		{"reason", long, text(`{"reason":"?"}`), 1024},
		{"reportingController", long, text(`{"reportingController":"?"}`), 1024},
		{"reportingInstance", long, text(`{"reportingInstance":"?"}`), 1024},
		{"timestamp", long, fraction, 1024},
		{"metadata", "more than 1000 entries", entries, 1000},
		{"metadata", "a key " + long, text(`{"metadata":{"?":"","a":""}}`), 1024},
		// Texts, which are as long as the body.
		{"", "", text(`{"message":"?"}`), 1 << 20},
		{"", "", text(`{"metadata":{"a":"?"}}`), 1 << 20},
		// What is not kept.
		{"", "", text(`{"ts":"?","unknown":"?"}`), 1 << 20},
	} {
		if _, err := Decode([]byte(test.body(test.most))); err != nil {
			t.Errorf("%s of %d: %v", test.field, test.most, err)
		}
		if test.field == "" {
			continue
		}
		e, err := Decode([]byte(test.body(test.most + 1)))
		var decodeError *DecodeError
		if e != nil || !errors.As(err, &decodeError) || decodeError.Field != test.field || decodeError.Problem != test.problem {
			t.Errorf("%s of %d: error %v, want %q", test.field, test.most+1, err, test.problem)
		}
	}
}

// FuzzDecode checks that what is decoded survives being encoded, and that cleaning it twice is cleaning it once.
func FuzzDecode(f *testing.F) {
	for _, body := range []string{
		filled, `{}`, `null`, `[]`, `{"ts":"2026-08-07T10:15:30Z"}`, `{"timestamp":"2026-08-07T12:15:30.5+02:00"}`,
		`{"involvedObject":{"apiVersion":"v1"},"metadata":{"/a":"b","/checksum":"c","/token":"t"}}`,
		`{"involvedObject":{"apiVersion":"event.toolkit.fluxcd.io/v1"},"metadata":{"event.toolkit.fluxcd.io/a":"b"}}`,
		`{"metadata":{"a":1}}`, "{\"message\":\"\xff\"}",
	} {
		f.Add([]byte(body))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		e, err := Decode(body)
		if err != nil {
			var decodeError *DecodeError
			if e != nil || !errors.As(err, &decodeError) || decodeError.Problem == "" {
				t.Fatalf("event %+v, error %#v", e, err)
			}
			return
		}
		checkSurvivesEncoding(t, e)

		sum := Fingerprint(e)
		e.Metadata = Clean(e)
		if again := Clean(e); !maps.Equal(again, e.Metadata) {
			t.Errorf("cleaned twice: %v, once: %v", again, e.Metadata)
		}
		if Fingerprint(e) != sum {
			t.Error("cleaning removes what tells events apart")
		}
		merged, conflicts := Merge(e, nil, "")
		for key := range conflicts {
			if _, ok := merged[key]; !ok {
				t.Errorf("conflict over %q, which is not there", key)
			}
		}
	})
}

func checkSurvivesEncoding(t *testing.T, e *Event) {
	// A zone can move a time into a year that RFC 3339 cannot write.
	if year := e.Timestamp.UTC().Year(); year < 0 || year > 9999 {
		return
	}
	encoded, err := json.Marshal(e)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(encoded)
	if err != nil {
		t.Fatalf("%s: %v", encoded, err)
	}
	// What the encoding leaves out on purpose: fractions of a second, the zone, an empty map.
	want := *e
	want.Timestamp = Timestamp{e.Timestamp.UTC().Truncate(time.Second)}
	if len(want.Metadata) == 0 {
		want.Metadata = nil
	}
	if !again.Timestamp.Equal(want.Timestamp.Time) {
		t.Errorf("got time %s, want %s", again.Timestamp, want.Timestamp)
	}
	again.Timestamp = want.Timestamp
	if !reflect.DeepEqual(*again, want) {
		t.Errorf("got  %+v\nwant %+v", *again, want)
	}
}
