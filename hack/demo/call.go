package main

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"strings"
)

// call posts a file, prints the answer and checks its status.
func call(ctx context.Context, url, file string, header http.Header, want int) error {
	body, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	maps.Copy(req.Header, header)
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	say("POST %s: %s %s", url, resp.Status, strings.TrimSpace(string(answer)))
	if resp.StatusCode != want {
		return fmt.Errorf("the answer should be %d %s", want, http.StatusText(want))
	}
	return nil
}

// pushHeader returns the headers with which GitHub calls after a push, the body being that of pushFile.
// https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
func pushHeader(token string) (http.Header, error) {
	body, err := os.ReadFile(pushFile)
	if err != nil {
		return nil, err
	}
	mac := hmac.New(sha256.New, []byte(token))
	mac.Write(body)
	header := http.Header{}
	header.Set("X-GitHub-Event", "push")
	header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	return header, nil
}
