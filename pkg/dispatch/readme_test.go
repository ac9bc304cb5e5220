package dispatch

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"sigs.k8s.io/yaml"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// page is what README.md holds of one heading of the third level.
type page struct {
	section, title string
	blocks         []block
}

// block is what stands between fences, with the language after the first and the name of an event before it.
type block struct{ event, language, text string }

// readPage reads README.md.
func readPage(t *testing.T) []page {
	t.Helper()
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	var pages []page
	fenced := regexp.MustCompile("(?ms)(?:^`([a-z]+)`:\n\n)?^```([a-z]+)\n(.*?)^```$")
	for section := range strings.SplitSeq(string(content), "\n## ") {
		name, _, _ := strings.Cut(section, "\n")
		for _, part := range strings.Split(section, "\n### ")[1:] {
			title, rest, _ := strings.Cut(part, "\n")
			p := page{section: name, title: title}
			for _, match := range fenced.FindAllStringSubmatch(rest, -1) {
				p.blocks = append(p.blocks, block{match[1], match[2], match[3]})
			}
			pages = append(pages, p)
		}
	}
	return pages
}

// examples returns what the page has of a section.
func examples(t *testing.T, section string, want int) []page {
	t.Helper()
	var found []page
	for _, p := range readPage(t) {
		if p.section == section {
			found = append(found, p)
		}
	}
	if len(found) != want {
		t.Fatalf("%d examples below %q, want %d", len(found), section, want)
	}
	return found
}

// exampleEvents returns the events of the page as the handler has them, by name.
func exampleEvents(t *testing.T) map[string]*event.Event {
	t.Helper()
	events := map[string]*event.Event{}
	for _, p := range examples(t, "Events of the examples", 3) {
		e, err := event.Decode([]byte(p.blocks[0].text))
		if err != nil {
			t.Fatalf("%s: %v", p.title, err)
		}
		e.Metadata = event.Clean(e)
		e.DropInternal()
		events[strings.Trim(p.title, "`")] = e
	}
	return events
}

// exampleAlert is the Alert of an example, in the namespace of the failure.
func exampleAlert(t *testing.T, p page) *v1beta3.Alert {
	t.Helper()
	alert := &v1beta3.Alert{}
	if err := yaml.UnmarshalStrict([]byte(p.blocks[0].text), alert); err != nil {
		t.Fatal(err)
	}
	alert.Namespace, alert.Spec.EventSeverity = "apps", v1beta3.EventSeverityInfo
	if _, err := NewAlertCompiler().Compile(alert); err != nil {
		t.Fatal(err)
	}
	return alert
}

// TestMessagesInReadme renders the messages of the page from its events, those of one example one after the other.
func TestMessagesInReadme(t *testing.T) {
	events := exampleEvents(t)
	for _, p := range examples(t, "Ten messages", 10) {
		t.Run(p.title, func(t *testing.T) {
			recorded := &outcomes{}
			r, m := testRouter(recorded)
			r.Cluster, r.Repeats = "prod-eu", NewRepeats(10, time.Now)
			alert := exampleAlert(t, p)
			if len(p.blocks) < 2 {
				t.Error("the page shows no message")
			}
			for _, b := range p.blocks[1:] {
				e := events[b.event]
				if verdict := m.verdict(&filterable{Event: e}, alert); verdict != Matched {
					t.Errorf("%s: %s", b.event, verdict)
				}
				got := ""
				if n, ok := r.Render(t.Context(), e, alert, testProvider(), provider.Type{}); ok {
					got = n.Event.Message
				} else {
					got = fmt.Sprintf("(%s: %s)", recorded.all[len(recorded.all)-1].Result, recorded.all[len(recorded.all)-1].Reason)
				}
				if got += "\n"; got != b.text {
					t.Errorf("%s: got\n%swant\n%s", b.event, got, b.text)
				}
			}
			if len(recorded.problems) > 0 {
				t.Errorf("reported %q", recorded.problems)
			}
		})
	}
}

// TestFiltersInReadme asks the filters of the page for its events.
func TestFiltersInReadme(t *testing.T) {
	events := exampleEvents(t)
	for _, p := range examples(t, "Five filters", 5) {
		t.Run(p.title, func(t *testing.T) {
			recorded := &outcomes{}
			_, m := testRouter(recorded)
			alert := exampleAlert(t, p)
			got := ""
			for _, name := range []string{"failure", "recovery", "upgrade"} {
				got += fmt.Sprintf("%s: %s\n", name, m.verdict(&filterable{Event: events[name]}, alert))
			}
			if len(p.blocks) != 2 || got != p.blocks[1].text {
				t.Errorf("got\n%s", got)
			}
			if len(recorded.problems) > 0 {
				t.Errorf("reported %q", recorded.problems)
			}
		})
	}
}

// TestVerdictsInReadme compares the page's table with the verdicts that there are, and its reasons of Kubernetes Events.
func TestVerdictsInReadme(t *testing.T) {
	content, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, verdict := range []Verdict{Suspended, CrossNamespace, OtherSource, OtherSeverity, OtherLabels, NotIncluded, Excluded, FilteredOut} {
		if !strings.Contains(string(content), "| `"+string(verdict)+"` |\n") {
			t.Errorf("the page lacks the verdict %q", verdict)
		}
	}
	for _, reason := range []string{
		ReasonDispatchFailed, ReasonInvalidConfig, ReasonSourceFetchFailed, ReasonMetadataConflict, ReasonFilterFailed, ReasonMessageFailed,
	} {
		if !strings.Contains(string(content), "\n| `"+reason+"` |") {
			t.Errorf("the page lacks the reason %q", reason)
		}
	}
}
