package app

import (
	"cmp"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"k8s.io/client-go/rest"
)

// metricFamily is what the registry knows of a metric before it has any series.
type metricFamily struct {
	name, help string
	labels     []string
}

// TestMetricsInReadme compares the table of metrics in the README with those of a whole process. With UPDATE_README=1 in
// the environment it writes the table.
func TestMetricsInReadme(t *testing.T) {
	var table strings.Builder
	table.WriteString("| metric | labels | what it measures |\n| --- | --- | --- |\n")
	for _, family := range metricFamilies(t) {
		if family.isForeign() {
			continue
		}
		if !strings.HasSuffix(family.help, ".") {
			t.Errorf("the help of %s is no sentence: %q", family.name, family.help)
		}
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", family.name, strings.Join(family.labels, ", "), strings.TrimSuffix(family.help, "."))
	}
	table.WriteString("| `go_*`, `process_*`, `promhttp_*` | | the Go runtime, the process and this endpoint |\n")
	checkReadme(t, "metrics", table.String())
}

// isForeign says whether a metric is one of those that Prometheus' own library adds to every process.
func (f metricFamily) isForeign() bool {
	return slices.Contains([]string{"go", "process", "promhttp"}, f.prefix())
}

func (f metricFamily) prefix() string { return f.name[:strings.Index(f.name, "_")] }

// metricFamilies lists what a process exposes, our own metrics first.
func metricFamilies(t *testing.T) []metricFamily {
	t.Helper()
	descriptions := make(chan *prometheus.Desc)
	app := offline(t.Context(), t)
	go func() {
		app.metrics.Describe(descriptions)
		close(descriptions)
	}()
	var families []metricFamily
	for description := range descriptions {
		families = append(families, parseDescription(t, description.String()))
	}
	rank := func(f metricFamily) int {
		return slices.Index([]string{"notification", "gotk", "controller", "workqueue", "rest", "leader"}, f.prefix())
	}
	slices.SortFunc(families, func(a, b metricFamily) int {
		return cmp.Or(cmp.Compare(rank(a), rank(b)), cmp.Compare(a.name, b.name))
	})
	return families
}

// descriptionPattern is how a description prints itself, which is the only way to its content.
var descriptionPattern = regexp.MustCompile(`^Desc\{fqName: ("(?:[^"\\]|\\.)*"), help: ("(?:[^"\\]|\\.)*"), .*variableLabels: \{(.*)\}\}$`)

func parseDescription(t *testing.T, text string) metricFamily {
	t.Helper()
	parts := descriptionPattern.FindStringSubmatch(text)
	if parts == nil {
		t.Fatalf("cannot read %s", text)
	}
	var f metricFamily
	var err error
	if f.name, err = strconv.Unquote(parts[1]); err != nil {
		t.Fatal(err)
	}
	if f.help, err = strconv.Unquote(parts[2]); err != nil {
		t.Fatal(err)
	}
	if parts[3] != "" {
		f.labels = strings.Split(parts[3], ",")
	}
	return f
}

// TestMutexProfile asks for the profile that Go does not take by itself.
func TestMutexProfile(t *testing.T) {
	w := httptest.NewRecorder()
	offline(t.Context(), t).metricsMux().ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/debug/pprof/mutex?debug=1", nil))
	if !strings.Contains(w.Body.String(), "\nsampling period=5\n") {
		t.Errorf("no profile of every fifth wait: %s", w.Body)
	}
}

// offline wires an App whose API server is nowhere.
func offline(ctx context.Context, t *testing.T) *App {
	t.Helper()
	o := DefaultOptions()
	o.EventsAddress, o.ReceiverAddress, o.MetricsAddress, o.HealthAddress = "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0", "127.0.0.1:0"
	o.Kubeconfig = &rest.Config{Host: "http://127.0.0.1:1"}
	app, err := New(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return app
}
