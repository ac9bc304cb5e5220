package app

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// heap is how many bytes are in use in the program, after a collection.
func (p *program) heap() int {
	p.t.Helper()
	_ = p.get(p.metrics, "/debug/pprof/heap?gc=1")
	found := regexp.MustCompile(`(?m)^go_memstats_heap_alloc_bytes (\S+)$`).FindStringSubmatch(p.get(p.metrics, "/metrics"))
	if found == nil {
		p.t.Fatal("the metrics do not tell the heap")
	}
	bytes, err := strconv.ParseFloat(found[1], 64)
	if err != nil {
		p.t.Fatal(err)
	}
	return int(bytes)
}

// TestFloodStaysInBounds posts distinct events for an endpoint that never answers: memory stays within what the flags
// allow, and another Provider gets its notification.
func TestFloodStaysInBounds(t *testing.T) {
	t.Parallel()
	const (
		queueMemory = 16 << 20
		// windows is what an event is remembered with (--rate-limit-size), base what everything else may take: connections,
		// buffers, what is under way.
		windows, base = 85, 12 << 20
	)
	events := scale(10_000, 100_000)
	cp := shared(t)
	ns := namespace(t, cp)
	dead := newEndpoint(t, brokenEndpoints()["silent"])
	well := newSink(t, nil)
	cp.Apply(t, alertAndProvider(ns, "dead", "{type: generic, address: '"+dead.address+"'}")+
		strings.Replace(alertAndProvider(ns, "well", "{type: generic, address: '"+well.URL+"'}"), "'*'", "other", 1))
	// The bound on the bytes is met first. The log has a line for each drop, which is not what this is about.
	p := launch(t, cp, nil, "--log-level=error", "--provider-queue-size=1000000", "--queue-size=1000000",
		fmt.Sprintf("--queue-memory=%d", queueMemory), fmt.Sprintf("--rate-limit-size=%d", events+1), "--shutdown-timeout=1s")
	before := p.heap()

	// Small texts in large numbers take most memory for their length.
	var metadata strings.Builder
	for i := range 20 {
		fmt.Fprintf(&metadata, `,"kustomize.toolkit.fluxcd.io/%d":""`, i)
	}
	begin := time.Now()
	const senders = 8
	var all sync.WaitGroup
	for sender := range senders {
		all.Go(func() {
			for i := sender; i < events; i += senders {
				body := strings.TrimSuffix(eventJSON(ns, fmt.Sprintf("flood %d.", i)), "}") + `,"metadata":{` + metadata.String()[1:] + `}}`
				if status, err := p.post(body); status != 202 {
					t.Errorf("status %d, %v", status, err)
					return
				}
			}
		})
	}
	all.Wait()
	after := p.heap()
	bound := queueMemory + windows*events + base
	t.Logf("%d events in %s: the heap grew from %d to %d KiB, the bound is %d KiB more", events, time.Since(begin), before>>10, after>>10, bound>>10)
	if after-before > bound {
		t.Errorf("the heap grew by %d bytes, more than %d", after-before, bound)
	}
	if y := p.tally(); y.dropped == 0 {
		t.Errorf("nothing was dropped: the bound was not met: %+v", y)
	}

	if status, err := p.post(strings.Replace(eventJSON(ns, "for the other one"), `"shop"`, `"other"`, 1)); status != 202 {
		t.Fatalf("status %d, %v", status, err)
	}
	well.wait(t, 1, "for the other one")
	eventually(t, "it to be counted", func() error {
		if y := p.tally(); y.matches != events+2 || y.sent != 1 {
			return fmt.Errorf("%+v", y)
		}
		return nil
	})
	p.terminate()
}
