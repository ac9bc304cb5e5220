package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync"
	"time"
)

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

// naming gives the namespace and the name of the i-th object.
type naming func(i int) (namespace, name string)

// eventRequest is an event about the Kustomizations that name gives; each is another event.
func eventRequest(address string, name naming) request {
	return func(i int) (*http.Request, error) {
		namespace, name := name(i)
		body := fmt.Sprintf(`{"involvedObject":{"apiVersion":"kustomize.toolkit.fluxcd.io/v1","kind":"Kustomization","namespace":"%s","name":"%s","uid":"7d0cdc51-ddcf-4743-b223-83ca5c699632"},
"severity":"info","timestamp":"2026-10-28T07:26:19Z","message":"Reconciliation finished in 1.4s, next run in 10m0s (%d)","reason":"ReconciliationSucceeded",
"reportingController":"kustomize-controller","reportingInstance":"kustomize-controller-7c7b47f5f-8bhrp",
"metadata":{"kustomize.toolkit.fluxcd.io/revision":"main@sha1:731f7eaddfb6af01cb2173e18f0f75b0ba780ef1"}}`, namespace, name, time.Now().UnixNano()+int64(i))
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
