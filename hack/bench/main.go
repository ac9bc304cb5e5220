// Command bench measures the whole process against a real API server, and prints what it found beside what Flux v1.9
// needed, what is wanted, and what a bare loop needs that does nothing but decode each event and forward it. README.md
// says how each row is measured.
//
// usage: bench [-binary bin/notification-controller] [-rows idle,events,…] [-scale 1] [-flags "--page …"]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
)

// config is what is measured.
type config struct {
	binary string
	// flags of the controller besides those that every row needs.
	flags []string
	// rows are the names of the groups of rows to measure; empty means all.
	rows []string
	// alerts are numbers of Alerts, in ascending order.
	alerts      []int
	events      int
	concurrency int
	receivers   int
	webhooks    int
	// objects is how many one webhook is for.
	objects int
	// scale is the share of the largest cluster to measure instead of the table; 0 means the table.
	scale float64
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
	c, err := parseConfig()
	if err != nil {
		return err
	}
	b, err := newBench(c)
	if err != nil {
		return err
	}
	defer b.close()
	rows, err := b.measure(ctx)
	return errors.Join(err, printTable(os.Stdout, rows))
}

func parseConfig() (config, error) {
	var c config
	var alerts, rows, flags string
	flag.StringVar(&c.binary, "binary", "bin/notification-controller", "the controller")
	flag.StringVar(&flags, "flags", "", "more flags of the controller, separated by spaces")
	flag.StringVar(&rows, "rows", "", "groups of rows to measure, of "+strings.Join(groupNames(), ",")+"; all if empty")
	flag.StringVar(&alerts, "alerts", "100,1000,10000", "numbers of Alerts, of which one matches each event")
	flag.IntVar(&c.events, "events", 10_000, "events of a run")
	flag.IntVar(&c.concurrency, "concurrency", 32, "senders of events")
	flag.IntVar(&c.receivers, "receivers", 500, "Receivers that webhooks are spread over")
	flag.IntVar(&c.webhooks, "webhooks", 2000, "webhooks of a run")
	flag.IntVar(&c.objects, "objects", 1000, "objects that one webhook is for")
	flag.Float64Var(&c.scale, "scale", 0, "instead of the table, measure a cluster of this share of 50,000 Alerts, 5,000 Providers, 10,000 Receivers, 200 namespaces and 20,000 Secrets")
	flag.Parse()
	c.flags = strings.Fields(flags)
	for field := range strings.SplitSeq(alerts, ",") {
		n, err := strconv.Atoi(field)
		if err != nil {
			return c, fmt.Errorf("-alerts: %w", err)
		}
		c.alerts = append(c.alerts, n)
	}
	slices.Sort(c.alerts)
	if rows == "" {
		return c, nil
	}
	c.rows = strings.Split(rows, ",")
	for _, name := range c.rows {
		if !slices.Contains(groupNames(), name) {
			return c, fmt.Errorf("-rows: there is no group %q", name)
		}
	}
	return c, nil
}
