package cdevents_test

import (
	"cmp"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/cdevents"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// body is the sample of spec/receivers.md §5.13.
const body = `{"context":{"version":"0.4.1","id":"42","source":"/forge/acme","type":"dev.cdevents.change.merged.0.2.0","timestamp":"2026-08-07T10:00:00Z"},
 "subject":{"id":"pr-7","type":"change","content":{"repository":{"id":"acme/shop"}}}}`

const custom = `{"context":{"version":"0.4.1","id":"42","source":"/forge/acme","type":"dev.cdeventsx.acme-change.seen.1.0.0","timestamp":"2026-08-07T10:00:00Z"},
 "subject":{"id":"pr-7","type":"acme-change","content":{"any":["thing"]}}}`

// eventOf returns an event of a type such as change.merged.0.2.0.
func eventOf(typ, content string) string {
	subject, _, _ := strings.Cut(typ, ".")
	return fmt.Sprintf(`{"context":{"version":"0.4.1","id":"42","source":"/forge/acme","type":"dev.cdevents.%s",`+
		`"timestamp":"2026-08-07T10:00:00Z"},"subject":{"id":"7","type":%q%s}}`, typ, subjectType(subject), content)
}

// subjectType is how the schemas write the type of a subject.
func subjectType(subject string) string {
	long := map[string]string{
		"pipelinerun": "pipelineRun", "taskrun": "taskRun", "testcaserun": "testCaseRun", "testsuiterun": "testSuiteRun",
		"testoutput": "testOutput",
	}
	return cmp.Or(long[subject], subject)
}

func TestVerify(t *testing.T) {
	const good, bad = sourcetest.Authentic, sourcetest.BadPayload
	replaced := func(old, with string) string {
		if !strings.Contains(body, old) {
			t.Fatalf("the sample has no %s", old)
		}
		return strings.Replace(body, old, with, 1)
	}
	for _, test := range []struct {
		name, body string
		want       sourcetest.Outcome
	}{
		{"sample", body, good},
		{"any version of the specification", replaced(`"version":"0.4.1"`, `"version":"0.3.0"`), good},
		{"field that the specification does not know", replaced(`"id":"42"`, `"id":"42","more":1`), good},
		{"no content where none is required", replaced(`,"content":{"repository":{"id":"acme/shop"}}`, ``), good},
		{"custom event", custom, good},
		{"custom event with a subject of another form", strings.Replace(custom, `"acme-change"`, `"change"`, 1), bad},
		{"custom event without content", strings.Replace(custom, `,"content":{"any":["thing"]}`, ``, 1), bad},
		{"no timestamp", replaced(`,"timestamp":"2026-08-07T10:00:00Z"`, ``), bad},
		{"optional field that is empty", replaced(`"id":"42"`, `"id":"42","chainId":""`), good},
		{"optional field that is null", replaced(`"id":"42"`, `"id":"42","chainId":null`), good},
		{"optional field of a wrong type", replaced(`"id":"42"`, `"id":"42","chainId":1`), bad},
		{"content that is null", replaced(`{"repository":{"id":"acme/shop"}}`, `null`), good},
		{"link without tags", replaced(`"id":"42"`, `"id":"42","links":[{"linkType":"PATH","from":{"contextId":"41"}}]`), good},
		{"link", replaced(`"id":"42"`, `"id":"42","links":[{"linkType":"END","from":{"contextId":"41"},"tags":{}}]`), good},
		{"version 0.5 of the specification", replaced(`"version":"0.4.1"`, `"specversion":"0.5.0"`), bad},
		{"no version", replaced(`"version":"0.4.1",`, ``), bad},
		{"empty version", replaced(`"version":"0.4.1"`, `"version":""`), bad},
		{"no id", replaced(`"id":"42",`, ``), bad},
		{"no source", replaced(`"source":"/forge/acme",`, ``), bad},
		{"no type", replaced(`"type":"dev.cdevents.change.merged.0.2.0",`, ``), bad},
		{"no subject", `{"context":{}}`, bad},
		{"no id of the subject", replaced(`"id":"pr-7",`, ``), bad},
		{"no type of the subject", replaced(`"type":"change",`, ``), bad},
		{"wrong type of the subject", replaced(`"type":"change"`, `"type":"branch"`), bad},
		{"timestamp of another form", replaced("2026-08-07T10:00:00Z", "today"), bad},
		{"older version of the event", replaced("merged.0.2.0", "merged.0.1.2"), bad},
		{"newer minor version of the event", replaced("merged.0.2.0", "merged.0.3.0"), bad},
		{"newer major version of the event", replaced("merged.0.2.0", "merged.1.2.0"), bad},
		{"unknown event", replaced("change.merged", "change.seen"), bad},
		{"type of another form", replaced("dev.cdevents.change.merged.0.2.0", "change.merged"), bad},
		{"schema that is not registered", replaced(`"id":"42"`, `"id":"42","schemaUri":"https://example.com/schema"`), bad},
		{"link that is null", replaced(`"id":"42"`, `"id":"42","links":[null]`), bad},
		{"in an envelope", `{"specversion":"1.0","type":"dev.cdevents.change.merged.0.2.0","data":` + body + `}`, bad},
		{"null", "null", bad},
		{"empty", "", bad},
		{"two documents", body + body, bad},
	} {
		const name = "cd.change.merged.v1" // It need not be that of the body.
		sourcetest.RunCases(t, cdevents.Type(), []sourcetest.Case{{
			Name: test.name, Header: sourcetest.Header("Ce-Type", name), Body: test.body, Event: name, Want: test.want,
		}})
	}
	sourcetest.RunCases(t, cdevents.Type(), []sourcetest.Case{{Name: "no Ce-Type", Body: body, Want: good}})
}

// TestTypes has the events of version 0.4.1 with the content that they cannot be without.
func TestTypes(t *testing.T) {
	const (
		environment = `"environment":{"id":"prod"}`
		deployed    = environment + `,"artifactId":"pkg:oci/shop@sha256%3A0f1e"`
		uri         = `"uri":"https://example.com/1"`
	)
	for typ, content := range map[string]string{
		"artifact.deleted.0.1.0": "", "artifact.downloaded.0.1.0": "", "artifact.packaged.0.2.0": `"change":{"id":"7"}`,
		"artifact.published.0.2.0": "", "artifact.signed.0.2.0": `"signature":"x"`,
		"branch.created.0.2.0": "", "branch.deleted.0.2.0": "",
		"build.finished.0.2.0": "", "build.queued.0.2.0": "", "build.started.0.2.0": "",
		"change.created.0.3.0": "", "change.abandoned.0.2.0": "", "change.merged.0.2.0": "", "change.reviewed.0.2.0": "",
		"change.updated.0.2.0":      "",
		"environment.created.0.2.0": "", "environment.deleted.0.2.0": "", "environment.modified.0.2.0": "",
		"incident.detected.0.2.0": environment, "incident.resolved.0.2.0": environment,
		"incident.reported.0.2.0":    environment + `,"ticketURI":"https://example.com/1"`,
		"pipelinerun.finished.0.2.0": "", "pipelinerun.queued.0.2.0": "",
		"pipelinerun.started.0.2.0": `"pipelineName":"x","url":"https://example.com/1"`,
		"repository.created.0.2.0":  `"name":"x","url":"https://example.com/1"`,
		"repository.deleted.0.2.0":  "", "repository.modified.0.2.0": "",
		"service.deployed.0.2.0": deployed, "service.rolledback.0.2.0": deployed, "service.upgraded.0.2.0": deployed,
		"service.published.0.2.0": "", "service.removed.0.2.0": "",
		"taskrun.finished.0.2.0": "", "taskrun.started.0.2.0": "",
		"testcaserun.finished.0.2.0": `"outcome":"pass",` + environment, "testcaserun.queued.0.2.0": environment,
		"testcaserun.started.0.2.0": environment, "testcaserun.skipped.0.1.0": "",
		"testsuiterun.finished.0.2.0": `"outcome":"pass",` + environment, "testsuiterun.queued.0.2.0": environment,
		"testsuiterun.started.0.2.0": environment,
		"testoutput.published.0.2.0": `"outputType":"log","format":"text/plain"`,
		"ticket.closed.0.1.0":        uri + `,"resolution":"done"`,
		"ticket.created.0.1.0":       uri + `,"summary":"x","creator":"acme"`, "ticket.updated.0.1.0": uri,
	} {
		whole := eventOf(typ, `,"content":{`+content+`}`)
		if _, err := sourcetest.Verify(cdevents.Type(), nil, whole, nil); err != nil {
			t.Errorf("%s: %v", typ, err)
		}
		// Without each field that is required, one at a time.
		for field := range strings.SplitSeq(content, ",") {
			without := eventOf(typ, `,"content":{`+strings.Trim(strings.Replace(","+content, ","+field, "", 1), ",")+`}`)
			if _, err := sourcetest.Verify(cdevents.Type(), nil, without, nil); field != "" && sourcetest.OutcomeOf(t, err) != sourcetest.BadPayload {
				t.Errorf("%s without %s: %v", typ, field, err)
			}
		}
	}
}

// TestEmptyChoices has fields that hold one of a list of words, and are as good as missing if they are empty.
func TestEmptyChoices(t *testing.T) {
	const good, bad = sourcetest.Authentic, sourcetest.BadPayload
	const (
		environment = `"environment":{"id":"prod"}`
		finished    = `"outcome":"pass",` + environment
	)
	var cases []sourcetest.Case
	for _, test := range []struct {
		name, typ, content string
		want               sourcetest.Outcome
	}{
		{"all that are optional", "testcaserun.finished.0.2.0", finished + `,"severity":"","testCase":{"id":"1","type":""},"trigger":{"type":""}`, good},
		{"all that are optional, queued", "testcaserun.queued.0.2.0", environment + `,"testCase":{"id":"1","type":""},"trigger":{"type":""}`, good},
		{"all that are optional, of a suite", "testsuiterun.finished.0.2.0", finished + `,"severity":""`, good},
		{"a word of the list", "testcaserun.finished.0.2.0", finished + `,"severity":"low","testCase":{"id":"1","type":"unit"}`, good},
		{"another word", "testcaserun.finished.0.2.0", finished + `,"severity":"none"`, bad},
		{"another word further in", "testcaserun.queued.0.2.0", environment + `,"trigger":{"type":"none"}`, bad},
		{"one that is required", "testcaserun.finished.0.2.0", `"outcome":"",` + environment, bad},
		{"beside an id that is missing", "testcaserun.finished.0.2.0", finished + `,"testCase":{"type":""}`, bad},
	} {
		cases = append(cases, sourcetest.Case{Name: test.name, Body: eventOf(test.typ, `,"content":{`+test.content+`}`), Want: test.want})
	}
	sourcetest.RunCases(t, cdevents.Type(), cases)
}

// TestNothingIsBorrowed has calls that lack what an earlier call had.
func TestNothingIsBorrowed(t *testing.T) {
	const typ = "service.deployed.0.2.0"
	whole := eventOf(typ, `,"content":{"environment":{"id":"prod"},"artifactId":"pkg:oci/shop@sha256%3A0f1e"}`)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for range 20 {
				if _, err := sourcetest.Verify(cdevents.Type(), nil, whole, nil); err != nil {
					t.Errorf("refused: %v", err)
				}
				for _, lacking := range []string{eventOf(typ, ""), strings.Replace(whole, `"id":"42",`, "", 1)} {
					if _, err := sourcetest.Verify(cdevents.Type(), nil, lacking, nil); err == nil {
						t.Errorf("authentic: %s", lacking)
					}
				}
			}
		})
	}
	all.Wait()
}

// FuzzVerify checks that no body makes it panic, and that the answer to one does not depend on what came before it.
func FuzzVerify(f *testing.F) {
	f.Add(body, eventOf("change.merged.0.2.0", ""))
	f.Add(custom, body)
	f.Add(strings.Replace(body, `"id":"42"`, `"id":"42","links":[null]`, 1), "null")
	f.Add(strings.Replace(body, `"id":"42"`, `"id":"42","links":[{"linkType":"END"},{}]`, 1), "{}")
	f.Fuzz(func(t *testing.T, first, second string) {
		verify := func(body string) sourcetest.Outcome {
			result, err := sourcetest.Verify(cdevents.Type(), sourcetest.Header("Ce-Type", "x"), body, nil)
			if err == nil && (result.Event != "x" || string(result.Payload) != body) {
				t.Fatal("what is handed on is not what was sent")
			}
			return sourcetest.OutcomeOf(t, err)
		}
		alone := verify(second)
		verify(first)
		if after := verify(second); after != alone {
			t.Fatalf("alone: %v, after another: %v", alone, after)
		}
	})
}
