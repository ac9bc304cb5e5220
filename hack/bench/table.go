package main

import (
	"cmp"
	"fmt"
	"io"
	"slices"
	"text/tabwriter"
	"time"
)

// row is a line of the table.
type row struct{ name, bare, measured string }

// target is what a row is compared with.
type target struct{ flux, wanted string }

// targets are what Flux v1.9 needed on two cores, which API server, load, sink and controller shared as they do here,
// and what we want, by the name of the row.
func targets() map[string]target {
	return map[string]target{
		"events/s, 100 Alerts":             {"612", "at least 4,700"},
		"events/s, 1000 Alerts":            {"163", "at least 4,700"},
		"events/s, 10000 Alerts":           {"23", "at least 4,700"},
		"CPU per event, 100 Alerts":        {"1.8 ms", "at most 0.22 ms"},
		"CPU per event, 1000 Alerts":       {"9.5 ms", "at most 0.22 ms"},
		"CPU per event, 10000 Alerts":      {"79 ms", "at most 0.22 ms"},
		"memory, 10000 Alerts":             {"913 MiB", "at most 150 MiB"},
		"connections, 3000 notifications":  {"3,000", "at most 50"},
		"answer p99, 100 Alerts":           {"133 ms", "at most 25 ms"},
		"webhooks/s, 500 Receivers":        {"350 (p99 128 ms)", "at least 2,000 (p99 at most 25 ms)"},
		"one webhook for 1000 objects":     {"3.7 s in the request", "answer under 100 ms"},
		"event while the API server hangs": {"after 15 s, lost", "in 50 ms, delivered"},
		"3000 events, no answer":           {"9,104 goroutines, +149 MiB", "under 500, +40 MiB"},
		"another Provider's 200 meanwhile": {"", "within 2 s"},
		"SIGTERM, 40 sends of 3 s":         {"0 of 40 arrive", "40 of 40"},
		"SIGKILL after 200 events":         {"0 of 200 after the restart", "at most what was queued"},
		"idle memory":                      {"85 MiB", "at most 35 MiB"},
	}
}

func printTable(out io.Writer, rows []row) error {
	known := targets()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "row\tFlux v1.9\tbare loop here\twanted\tmeasured")
	for _, r := range rows {
		t := known[r.name]
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", r.name, t.flux, r.bare, t.wanted, r.measured)
	}
	return w.Flush()
}

// result is what a process did under a load.
type result struct {
	took      time.Duration
	latencies []time.Duration
	cpu       time.Duration
	// before and after are the memory around the load.
	before, after memory
	connections   int
	delivered     int
}

func (r result) perSecond() string {
	return fmt.Sprintf("%.0f", float64(len(r.latencies))/r.took.Seconds())
}

// perRequest is the CPU time of a request, with all that it has the process do.
func (r result) perRequest() string {
	each := r.cpu / time.Duration(max(len(r.latencies), 1))
	return fmt.Sprintf("%.3f ms", float64(each.Microseconds())/1000)
}

// percentile of the answers' latencies.
func (r result) percentile(p int) string {
	if len(r.latencies) == 0 {
		return ""
	}
	slices.Sort(r.latencies)
	i := min(len(r.latencies)*p/100, len(r.latencies)-1)
	return cmp.Or(r.latencies[i].Round(100*time.Microsecond), r.latencies[i]).String()
}
