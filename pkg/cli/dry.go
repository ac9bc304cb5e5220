package cli

import (
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/apis/notification/v1beta3"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// maxTries bounds the search for answers with which a sender finishes.
const maxTries = 32

// answers are what a service may say while nothing has happened there yet, of which a sender takes one: senders that
// look before they write want to be told that nothing is there.
func answers() []string {
	return []string{
		`{}`,
		`[]`,
		`{"ok":true,"success":true,"status":"success","result":"success","event_id":"1","id":"1"}`,
		``,
	}
}

// nowhere is what a dry run may connect to.
func nowhere() (*httpx.Egress, error) { return httpx.NewEgress([]string{"0.0.0.0/0", "::/0"}) }

// dry is a sender that reaches nobody: it writes down what it would send.
type dry struct {
	row     provider.Type
	config  provider.Config
	journal *journal
}

// Send implements [provider.Sender]. It tries answers until the sender has finished, starting over with each: where the
// last request got an answer of no use, it gets the next one.
func (s dry) Send(ctx context.Context, n *provider.Notification) error {
	var said []int
	var watched *transport
	var err error
	for range maxTries {
		if watched, err = s.try(ctx, n, said); err == nil || len(watched.exchanges) == 0 {
			break
		}
		for len(said) < len(watched.exchanges) {
			said = append(said, 0)
		}
		said = said[:len(watched.exchanges)]
		if said[len(said)-1]++; said[len(said)-1] == len(answers()) {
			break
		}
	}
	m := newMasker(s.row, s.config, nil)
	if len(watched.exchanges) == 0 && (err == nil || isConnection(err)) {
		return provider.Permanentf(provider.ReasonUnclassified,
			"a Provider of type %s does not send by HTTP: what it would publish cannot be shown; \"send\" tries it", s.row.Name)
	}
	s.journal.put(n.Alert, watched.exchanges, m)
	return m.redactor.Error(err)
}

// isConnection says whether an error is that of a sender which could not connect.
func isConnection(err error) bool {
	switch provider.Classify(err).Reason {
	case provider.ReasonConnection, provider.ReasonTimeout, provider.ReasonTLS, provider.ReasonUnclassified:
		return true
	default:
		// That of nowhere.
		return strings.Contains(err.Error(), "--provider-deny-cidrs")
	}
}

// try sends once, with the i-th request getting the answer that said has for it, or else the first.
func (s dry) try(ctx context.Context, n *provider.Notification, said []int) (*transport, error) {
	watched := &transport{}
	watched.answer = func(r *raw) (*http.Response, error) {
		choice := 0
		if i := len(watched.exchanges) - 1; i < len(said) {
			choice = said[i]
		}
		return &http.Response{
			StatusCode: http.StatusOK, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
			Header:  http.Header{"Content-Type": {"application/json"}},
			Body:    io.NopCloser(strings.NewReader(answers()[choice])),
			Request: r.request,
		}, nil
	}
	config := s.config
	config.Client = httpx.WithTransport(config.Client, watched)
	sender, err := s.row.New(config)
	if err != nil {
		return watched, err
	}
	return watched, sender.Send(ctx, n)
}

// masked is an identity whose tokens are asterisks.
type masked struct{}

func newMasked(*v1beta3.Provider, *url.URL) provider.Identity { return masked{} }

// Azure implements [provider.Identity].
func (masked) Azure(context.Context, string) (string, error) { return provider.Mask, nil }

// Google implements [provider.Identity].
func (masked) Google(context.Context) (string, error) { return provider.Mask, nil }

// ForgetAzure implements [provider.Identity].
func (masked) ForgetAzure(string) {}

// ForgetGoogle implements [provider.Identity].
func (masked) ForgetGoogle() {}

// Cached implements [provider.Identity].
func (masked) Cached(context.Context, string, func(context.Context) (provider.Token, error)) (provider.Token, error) {
	return provider.Token{Value: provider.Mask}, nil
}

// Forget implements [provider.Identity].
func (masked) Forget(string, string) {}
