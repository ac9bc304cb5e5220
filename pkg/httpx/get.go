package httpx

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// Get fetches a document. One that is longer than limit bytes is an error and not cut: half a document is another
// document. Neither the address nor the answer is quoted.
func Get(ctx context.Context, client *http.Client, address string, limit int64) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, address, http.NoBody)
	if err != nil {
		return nil, errors.New("the address is not a valid URL")
	}
	resp, err := client.Do(req)
	if err != nil {
		return nil, transportError(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the service answered %d %s", resp.StatusCode, http.StatusText(resp.StatusCode))
	}
	document, err := io.ReadAll(io.LimitReader(resp.Body, limit+1))
	if err != nil {
		return nil, fmt.Errorf("the answer broke off: %w", err)
	}
	if int64(len(document)) > limit {
		return nil, fmt.Errorf("the answer is longer than %d bytes", limit)
	}
	return document, nil
}

// WithoutRedirects returns a client on the same connections that takes a redirect for the answer, for addresses whose
// host matters.
func WithoutRedirects(client *http.Client) *http.Client {
	pinned := *client
	pinned.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &pinned
}
