package main

import (
	"bytes"
	"encoding/json"
	"io"
	"os"
)

// addresses are where a controller listens, as its log says it.
type addresses struct {
	Events, Webhooks, Metrics, Health string
}

// readyWatcher writes a controller's log to a file and looks for the line that says that it is ready.
type readyWatcher struct {
	log   io.Writer
	ready chan addresses
	// line is the beginning of the line whose end is still to come.
	line []byte
	seen bool
}

// Write implements [io.Writer].
func (w *readyWatcher) Write(p []byte) (int, error) {
	if !w.seen {
		w.look(p)
	}
	return w.log.Write(p)
}

func (w *readyWatcher) look(p []byte) {
	w.line = append(w.line, p...)
	for {
		line, rest, whole := bytes.Cut(w.line, []byte("\n"))
		if !whole {
			return
		}
		w.line = rest
		var entry struct {
			Msg string
			addresses
		}
		if err := json.Unmarshal(line, &entry); err == nil && entry.Msg == "Ready" {
			w.seen = true
			w.ready <- entry.addresses
			return
		}
	}
}

// tail returns the end of a log.
func tail(path string) []byte {
	const enough = 2 << 10
	log, err := os.ReadFile(path)
	if err != nil {
		return []byte(err.Error())
	}
	return log[max(0, len(log)-enough):]
}
