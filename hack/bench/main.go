// Command bench measures the whole process against a real API server and prints a table: throughput, latency, CPU,
// memory and connections, for events with different numbers of Alerts and for signed webhooks. Beside it stands a bare
// loop that decodes each event and forwards it over pooled connections, measured in the same run: what the machine can
// do at most.
//
// Everything shares the machine: API server, load, sink and controller. The controller runs as a process of its own, so
// that its CPU and memory can be told apart.
//
// usage: bench -binary bin/notification-controller [-alerts 100,1000,10000] [-events 10000] [-webhooks 2000]
package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"
)

// config is what is measured.
type config struct {
	binary      string
	alerts      []int
	events      int
	concurrency int
	receivers   int
	webhooks    int
}

// row is a line of the table.
type row struct {
	name        string
	count       int
	took        time.Duration
	latencies   []time.Duration
	cpu         time.Duration
	memory      int // KiB
	connections int
	delivered   int
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		return bare(os.Args[2:])
	}
	var c config
	var alerts string
	flag.StringVar(&c.binary, "binary", "bin/notification-controller", "the controller")
	flag.StringVar(&alerts, "alerts", "100,1000,10000", "numbers of Alerts, of which one matches each event")
	flag.IntVar(&c.events, "events", 10_000, "events of a run")
	flag.IntVar(&c.concurrency, "concurrency", 32, "senders of events")
	flag.IntVar(&c.receivers, "receivers", 500, "Receivers that webhooks are spread over")
	flag.IntVar(&c.webhooks, "webhooks", 2000, "webhooks of a run")
	flag.Parse()
	for field := range strings.SplitSeq(alerts, ",") {
		n, err := strconv.Atoi(field)
		if err != nil {
			return fmt.Errorf("-alerts: %w", err)
		}
		c.alerts = append(c.alerts, n)
	}
	slices.Sort(c.alerts)

	b, err := newBench(c)
	if err != nil {
		return err
	}
	defer b.close()
	rows, err := b.measure(ctx)
	printTable(rows)
	return err
}

func printTable(rows []row) {
	w := tabwriter.NewWriter(os.Stdout, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\trequests/s\tp50\tp99\tCPU/request\tmemory\tconnections\tdelivered\t")
	for _, r := range rows {
		slices.Sort(r.latencies)
		fmt.Fprintf(w, "%s\t%.0f\t%s\t%s\t%s\t%d MiB\t%d\t%d of %d\t\n", r.name,
			float64(r.count)/r.took.Seconds(), percentile(r.latencies, 50), percentile(r.latencies, 99),
			(r.cpu / time.Duration(max(r.count, 1))).Round(time.Microsecond), r.memory>>10, r.connections, r.delivered, r.count)
	}
	if err := w.Flush(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
	}
}

// percentile of sorted durations.
func percentile(sorted []time.Duration, p int) time.Duration {
	if len(sorted) == 0 {
		return 0
	}
	i := min(len(sorted)*p/100, len(sorted)-1)
	return cmp.Or(sorted[i].Round(10*time.Microsecond), sorted[i])
}
