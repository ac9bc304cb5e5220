package sourcetest

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
)

// Token is that of the sample requests of spec/receivers.md §5.
const Token = "s3cr3t-webhook-token"

// Outcome is what a verifier says of a call.
type Outcome string

// The outcomes.
const (
	Authentic    Outcome = "authentic"
	NotAuthentic Outcome = "not authentic"
	BadPayload   Outcome = "bad payload"
)

// Case is a call, and what is to come of it.
type Case struct {
	Name string
	// Secret is that of the Receiver; [Token] alone if it is nil.
	Secret map[string][]byte
	Header http.Header
	Body   string
	Want   Outcome
	// Event, DeliveryID and Payload are those of an authentic call. The payload is the body if it is empty.
	Event, DeliveryID, Payload string
}

// RunCases checks what comes of calls of a type that has one verifier for all Receivers.
func RunCases(t *testing.T, row source.Type, cases []Case) {
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) { runCase(t, row, c) })
	}
}

func runCase(t *testing.T, row source.Type, c Case) {
	if c.Secret == nil {
		c.Secret = Secret(source.TokenKey, Token)
	}
	if c.Payload == "" {
		c.Payload = c.Body
	}
	result, err := Verify(row, c.Header, c.Body, c.Secret)
	if got := OutcomeOf(t, err); got != c.Want {
		t.Fatalf("got %q (%v), want %q", got, err, c.Want)
	}
	if err == nil && (result.Event != c.Event || result.DeliveryID != c.DeliveryID || string(result.Payload) != c.Payload) {
		t.Errorf("got %+v with payload %q, want the event %q, the delivery %q and the payload %q",
			result, result.Payload, c.Event, c.DeliveryID, c.Payload)
	}
}

// Verify has a call verified that is of a type with one verifier for all Receivers.
func Verify(row source.Type, header http.Header, body string, secret map[string][]byte) (source.Result, error) {
	return row.Verifier.Verify(context.Background(), &source.Request{Header: header, Body: []byte(body)}, secret)
}

// OutcomeOf says of what kind the error of a verifier is, which has to be one of the kinds that there are.
func OutcomeOf(t *testing.T, err error) Outcome {
	t.Helper()
	var payload *source.PayloadError
	switch {
	case err == nil:
		return Authentic
	case source.IsUnauthenticated(err):
		return NotAuthentic
	case errors.As(err, &payload):
		return BadPayload
	}
	t.Fatalf("an error of no known kind: %v", err)
	return ""
}

// Secret returns the data of a Secret from keys and their values.
func Secret(pairs ...string) map[string][]byte {
	data := map[string][]byte{}
	for i := 0; i < len(pairs); i += 2 {
		data[pairs[i]] = []byte(pairs[i+1])
	}
	return data
}

// Header returns headers from names and their values. A header with an empty value is left out.
func Header(pairs ...string) http.Header {
	h := http.Header{}
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			h.Set(pairs[i], pairs[i+1])
		}
	}
	return h
}
