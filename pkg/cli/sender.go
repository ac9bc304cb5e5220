package cli

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"sync"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// journal keeps the exchanges by the Alert that they are for.
type journal struct {
	mu      sync.Mutex
	entries map[provider.Object][]exchange
}

func newJournal() *journal { return &journal{entries: map[provider.Object][]exchange{}} }

func (j *journal) put(alert provider.Object, exchanges []*raw, m masker) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, r := range exchanges {
		j.entries[alert] = append(j.entries[alert], m.exchange(r))
	}
}

// transport keeps each request, and has it answered.
type transport struct {
	exchanges []*raw
	answer    func(*raw) (*http.Response, error)
}

// RoundTrip implements [http.RoundTripper]. A sender makes one request after the other.
func (t *transport) RoundTrip(request *http.Request) (*http.Response, error) {
	r := &raw{request: request}
	if request.Body != nil {
		defer request.Body.Close()
		var err error
		if r.body, err = io.ReadAll(request.Body); err != nil {
			return nil, err
		}
	}
	t.exchanges = append(t.exchanges, r)
	return t.answer(r)
}

// real is a sender that sends, and writes down what it says and hears.
type real struct {
	row     provider.Type
	config  provider.Config
	journal *journal
}

// Send implements [provider.Sender].
func (s real) Send(ctx context.Context, n *provider.Notification) error {
	tokens := &tokens{Identity: s.config.Identity}
	next := s.config.Client.Transport
	watched := &transport{answer: func(r *raw) (*http.Response, error) { return overhear(next, r) }}
	config := s.config
	config.Client = httpx.WithTransport(config.Client, watched)
	if config.Identity != nil {
		config.Identity = tokens
	}
	sender, err := s.row.New(config)
	if err != nil {
		return err
	}
	err = sender.Send(ctx, n)
	m := newMasker(s.row, config, tokens.values)
	s.journal.put(n.Alert, watched.exchanges, m)
	return m.redactor.Error(err)
}

// overhear sends a request on and keeps the beginning of the answer.
func overhear(next http.RoundTripper, r *raw) (*http.Response, error) {
	request := r.request.Clone(r.request.Context())
	// A body of length 0 that is not told to be none would be sent in chunks.
	request.Body = http.NoBody
	if len(r.body) > 0 {
		request.Body = io.NopCloser(bytes.NewReader(r.body))
	}
	response, err := next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	r.status = response.StatusCode
	response.Body = struct {
		io.Reader
		io.Closer
	}{io.TeeReader(response.Body, &r.answer), response.Body}
	return response, nil
}

// tokens is an identity whose access tokens are kept, to be masked.
type tokens struct {
	provider.Identity
	values []string
}

// Azure implements [provider.Identity].
func (t *tokens) Azure(ctx context.Context, scope string) (string, error) {
	token, err := t.Identity.Azure(ctx, scope)
	t.values = append(t.values, token)
	return token, err
}

// Google implements [provider.Identity].
func (t *tokens) Google(ctx context.Context) (string, error) {
	token, err := t.Identity.Google(ctx)
	t.values = append(t.values, token)
	return token, err
}

// Cached implements [provider.Identity].
func (t *tokens) Cached(ctx context.Context, key string, fetch func(context.Context) (provider.Token, error)) (provider.Token, error) {
	token, err := t.Identity.Cached(ctx, key, fetch)
	t.values = append(t.values, token.Value)
	return token, err
}
