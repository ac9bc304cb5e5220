package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// exchange is a request of a sender, and in a real one the answer. Secrets are masked.
type exchange struct {
	Method  string            `json:"method"`
	URL     string            `json:"url"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	// BodyBase64 is a body that is not text.
	BodyBase64 []byte `json:"bodyBase64,omitempty"`
	Status     int    `json:"status,omitempty"`
	Answer     string `json:"answer,omitempty"`
}

// print shows an exchange as HTTP has it, but JSON indented.
func (e exchange) print(w io.Writer) {
	fmt.Fprintf(w, "%s %s\n", e.Method, e.URL)
	for _, name := range event.SortedKeys(e.Headers) {
		fmt.Fprintf(w, "%s: %s\n", name, e.Headers[name])
	}
	var indented bytes.Buffer
	switch {
	case len(e.BodyBase64) > 0:
		fmt.Fprintf(w, "\n(%d bytes that are not text; -o json has them)\n", len(e.BodyBase64))
	case json.Indent(&indented, []byte(e.Body), "", "  ") == nil:
		fmt.Fprintf(w, "\n%s\n", &indented)
	case e.Body != "":
		fmt.Fprintf(w, "\n%s\n", strings.TrimSuffix(e.Body, "\n"))
	}
	if e.Status > 0 {
		fmt.Fprintf(w, "\nanswer: %d %s %s\n", e.Status, http.StatusText(e.Status), e.Answer)
	}
}

// raw is an exchange with its secrets.
type raw struct {
	request *http.Request
	body    []byte
	status  int
	answer  quotation
}

// maxAnswer is as much of an answer as an error can quote, and a little more, so that it can be told to be cut.
const maxAnswer = 1 << 10

// quotation keeps the beginning of what is written to it.
type quotation struct{ bytes.Buffer }

// Write implements [io.Writer].
func (q *quotation) Write(p []byte) (int, error) {
	q.Buffer.Write(p[:min(len(p), maxAnswer-q.Len())])
	return len(p), nil
}

// masker hides what belongs to the configuration of one Provider.
type masker struct {
	redactor *provider.Redactor
	// headers hold credentials, whatever their values.
	headers []string
}

func newMasker(row provider.Type, config provider.Config, tokens []string) masker {
	secrets := append(config.Secrets(), tokens...)
	if row.SecretChannel {
		secrets = append(secrets, config.Channel)
	}
	m := masker{provider.NewRedactor(secrets...), []string{"Authorization", "Cookie", "Proxy-Authorization"}}
	for name := range config.Headers {
		m.headers = append(m.headers, http.CanonicalHeaderKey(name))
	}
	return m
}

func (m masker) exchange(r *raw) exchange {
	e := exchange{
		Method:  r.request.Method,
		URL:     r.request.URL.Scheme + "://" + r.request.URL.Host + m.redactor.Text(r.request.URL.RequestURI()),
		Headers: map[string]string{},
		Status:  r.status,
		Answer:  m.redactor.Text(httpx.Quote(r.answer.Bytes())),
	}
	for name, values := range r.request.Header {
		e.Headers[name] = m.header(name, strings.Join(values, ", "))
	}
	body := m.redactor.Text(string(r.body))
	if utf8.Valid(r.body) {
		e.Body = body
	} else {
		e.BodyBase64 = []byte(body)
	}
	return e
}

// header masks the value of a header. Of a credential the scheme may be known.
func (m masker) header(name, value string) string {
	if !slices.Contains(m.headers, http.CanonicalHeaderKey(name)) {
		return m.redactor.Text(value)
	}
	if scheme, _, ok := strings.Cut(value, " "); ok && slices.Contains([]string{"Basic", "Bearer", "GenieKey"}, scheme) {
		return scheme + " " + provider.Mask
	}
	return provider.Mask
}
