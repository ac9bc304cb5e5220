package app

import (
	"encoding/json"
	"fmt"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
)

// tally is what became of the notifications of accepted events.
type tally struct{ matches, sent, failed, dropped, skipped int }

// open is how many have not ended yet.
func (y tally) open() int { return y.matches - y.sent - y.failed - y.dropped - y.skipped }

func (y *tally) add(result string, n int) {
	switch result {
	case "sent":
		y.sent += n
	case "failed":
		y.failed += n
	case "dropped":
		y.dropped += n
	case "skipped":
		y.skipped += n
	}
}

// exposed is what its metrics say, also if the controller has ended.
func (c *process) exposed() string {
	recorder := httptest.NewRecorder()
	c.metrics.Handler().ServeHTTP(recorder, httptest.NewRequest("GET", "/metrics", nil))
	return recorder.Body.String()
}

func (c *process) tally() tally { return tallyOfMetrics(c.exposed()) }

func tallyOfMetrics(exposition string) tally {
	sample := regexp.MustCompile(`^notification_(event_matches_total|deliveries_total\{.*result="([a-z]+)".*\}) ([0-9.e+]+)\n$`)
	var y tally
	for line := range strings.Lines(exposition) {
		found := sample.FindStringSubmatch(line)
		if found == nil {
			continue
		}
		n, err := strconv.ParseFloat(found[3], 64)
		if err != nil {
			continue
		}
		if found[2] == "" {
			y.matches += int(n)
		} else {
			y.add(found[2], int(n))
		}
	}
	return y
}

// tallyOfLog reads the same from a log at the level debug, as far as it is about a namespace.
func tallyOfLog(log, namespace string) tally {
	results := map[string]string{
		"Sent a notification": "sent", "Skipped a notification": "skipped",
		"Notification failed": "failed", "Notification dropped": "dropped",
	}
	var y tally
	for line := range strings.Lines(log) {
		if !strings.Contains(line, "/"+namespace+"/") {
			continue
		}
		var entry struct {
			Msg    string
			Alerts int
		}
		if json.Unmarshal([]byte(line), &entry) != nil {
			continue
		}
		if entry.Msg == "Accepted an event" {
			y.matches += entry.Alerts
		}
		y.add(results[entry.Msg], 1)
	}
	return y
}

// balance waits until all that was accepted has ended, and fails the test if anything was lost on the way: by the outcome
// counters of the controllers, which have to serve no other namespace, and by their log. It returns the sum.
func balance(t *testing.T, namespace string, controllers ...*process) tally {
	t.Helper()
	sum := func() tally {
		var y tally
		for _, c := range controllers {
			one := c.tally()
			y = tally{y.matches + one.matches, y.sent + one.sent, y.failed + one.failed, y.dropped + one.dropped, y.skipped + one.skipped}
		}
		return y
	}
	eventuallyWithin(t, time.Minute, "every notification to end", func() error {
		if y := sum(); y.open() != 0 {
			return fmt.Errorf("%d of %d are open: %+v", y.open(), y.matches, y)
		}
		return nil
	})
	counted := sum()
	checkBalance(t, counted, tallyOfLog(logs.String(), namespace))
	return counted
}

// checkBalance compares the counters with the log.
func checkBalance(t *testing.T, counted, logged tally) {
	t.Helper()
	t.Logf("%+v", counted)
	if counted.matches == 0 {
		t.Error("nothing was accepted")
	}
	if counted.open() != 0 {
		t.Errorf("%d notifications are lost: %+v", counted.open(), counted)
	}
	if counted != logged {
		t.Errorf("the log says %+v, the counters %+v", logged, counted)
	}
}

// distinct is how many requests came whose body contains part, each body counted once: what is tried again can come twice.
func (s *sink) distinct(part string) int {
	bodies := map[string]bool{}
	for _, r := range s.got(part) {
		bodies[r.body] = true
	}
	return len(bodies)
}
