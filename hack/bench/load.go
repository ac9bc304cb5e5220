package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// sink takes notifications and counts them and their connections.
type sink struct {
	listener    net.Listener
	server      *http.Server
	requests    atomic.Int64
	connections atomic.Int64
}

func newSink() (*sink, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{listener: listener}
	s.server = &http.Server{
		Handler: http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
			_, _ = io.Copy(io.Discard, r.Body)
			s.requests.Add(1)
		}),
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateNew {
				s.connections.Add(1)
			}
		},
	}
	go func() { _ = s.server.Serve(listener) }() // Until close.
	return s, nil
}

func (s *sink) url() string { return "http://" + s.listener.Addr().String() }

func (s *sink) reset() {
	s.requests.Store(0)
	s.connections.Store(0)
}

// wait waits until n requests have arrived, as long as any do, and returns how many have.
func (s *sink) wait(ctx context.Context, n int) int {
	const stuck = 10 * time.Second
	last, since := int64(0), time.Now()
	for {
		got := s.requests.Load()
		if got >= int64(n) || ctx.Err() != nil || time.Since(since) > stuck {
			return int(got)
		}
		if got != last {
			last, since = got, time.Now()
		}
		time.Sleep(time.Millisecond)
	}
}

// request makes the i-th request of a load.
type request func(i int) (*http.Request, error)

// fire sends n requests, so many at a time, and returns how long each took to be answered with a 2xx.
func fire(ctx context.Context, n, concurrency int, next request) ([]time.Duration, error) {
	client := &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: concurrency}, Timeout: time.Minute}
	defer client.CloseIdleConnections()
	latencies := make([]time.Duration, n)
	errs := make([]error, concurrency)
	var senders sync.WaitGroup
	for worker := range concurrency {
		senders.Go(func() {
			for i := worker; i < n && ctx.Err() == nil; i += concurrency {
				r, err := next(i)
				if err == nil {
					latencies[i], err = send(ctx, client, r)
				}
				if err != nil {
					errs[worker] = err
					return
				}
			}
		})
	}
	senders.Wait()
	return latencies, errors.Join(append(errs, ctx.Err())...)
}

func send(ctx context.Context, client *http.Client, r *http.Request) (time.Duration, error) {
	begin := time.Now()
	resp, err := client.Do(r.WithContext(ctx))
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return 0, err
	}
	if resp.StatusCode/100 != 2 {
		return 0, fmt.Errorf("answered %d: %s", resp.StatusCode, answer)
	}
	return time.Since(begin), nil
}

// eventRequest is an event about the Kustomization that one of the Alerts is for; each is another event.
func eventRequest(address string, alerts int) request {
	return func(i int) (*http.Request, error) {
		body := fmt.Sprintf(`{"involvedObject":{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","namespace":"bench","name":"app-%d","uid":"7d0cdc51-ddcf-4743-b223-83ca5c699632"},
"severity":"info","timestamp":"2026-10-28T07:26:19Z","message":"Reconciliation finished in 1.4s, next run in 10m0s (%d)","reason":"ReconciliationSucceeded",
"reportingController":"kustomize-controller","reportingInstance":"kustomize-controller-7c7b47f5f-8bhrp",
"metadata":{"kustomize.toolkit.fluxcd.io/revision":"main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"}}`, i%alerts, time.Now().UnixNano()+int64(i))
		return http.NewRequest(http.MethodPost, "http://"+address+"/", strings.NewReader(body))
	}
}

// webhookRequest is a GitHub push, signed with the token that all Receivers share.
func webhookRequest(address string, paths []string) request {
	return func(i int) (*http.Request, error) {
		body := fmt.Sprintf(`{"ref":"refs/heads/main","after":"%040d","repository":{"full_name":"acme/shop"}}`, i)
		mac := hmac.New(sha256.New, []byte(token))
		mac.Write([]byte(body))
		r, err := http.NewRequest(http.MethodPost, "http://"+address+paths[i%len(paths)], strings.NewReader(body))
		if err != nil {
			return nil, err
		}
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("X-GitHub-Event", "push")
		r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
		return r, nil
	}
}
