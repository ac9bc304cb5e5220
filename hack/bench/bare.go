package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"os"
	"os/signal"
	"syscall"
)

// bareCommand makes this program the bare loop.
const bareCommand = "bare-loop"

// bare decodes each event and forwards it over pooled connections, 32 at a time. It is no controller: it is what one
// would have to beat the machine to be faster than.
func bare(args []string) error {
	address, health, target := args[0], args[1], args[2]
	const workers = 32
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: workers, MaxConnsPerHost: workers}}
	queue := make(chan []byte, 100_000)
	for range workers {
		go func() {
			for body := range queue {
				resp, err := client.Post(target, "application/json", bytes.NewReader(body))
				if err != nil {
					continue
				}
				_, _ = io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
		}()
	}
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var event map[string]any
		if err = errors.Join(err, json.Unmarshal(body, &event)); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		encoded, err := json.Marshal(event)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		queue <- encoded
		w.WriteHeader(http.StatusAccepted)
	})
	failed := make(chan error, 2)
	go func() { failed <- http.ListenAndServe(address, handler) }()
	go func() {
		failed <- http.ListenAndServe(health, http.HandlerFunc(func(http.ResponseWriter, *http.Request) {}))
	}()
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM)
	select {
	case err := <-failed:
		return err
	case <-signals:
		return nil
	}
}
