// Package sourcetest holds the rules that every type of Receiver keeps, as one suite to run over the table.
package sourcetest

import (
	"bytes"
	"maps"
	"net/http"
	"reflect"
	"strings"
	"sync"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
)

// Call is an authentic call of a type of Receiver. Token, body and the values of the proofs have to be long enough to
// be told from other text.
type Call struct {
	// Config is what the verifier is built from, for the types that have one for each Receiver.
	Config source.Config
	Secret map[string][]byte
	Header http.Header
	Body   []byte
	// Event is the name that the call gives its event, and DeliveryID the id that it gives itself.
	Event, DeliveryID string
	// Proofs names the headers without any one of which the call is not authentic; none where the path is all.
	Proofs []string
	// SignsBody says that the proof is good for this body only.
	SignsBody bool
	// WithoutToken says that the proof is not made with the Secret's token.
	WithoutToken bool
}

// suite is a type with a call of it.
type suite struct {
	row      source.Type
	verifier source.Verifier
	call     Call
}

// Run runs the suite over one type.
func Run(t *testing.T, row source.Type, call Call) {
	verifier, err := row.Build(call.Config)
	if err != nil {
		t.Fatal(err)
	}
	s := suite{row, verifier, call}
	t.Run("row", s.testRow)
	t.Run("authentic", s.testAuthentic)
	t.Run("unchanged", s.testUnchanged)
	t.Run("concurrent", s.testConcurrent)
	if len(call.Proofs) > 0 {
		t.Run("proof", s.testProof)
	}
	if len(call.Proofs) > 0 && !call.WithoutToken {
		t.Run("token", s.testToken)
	}
	if call.SignsBody {
		t.Run("body", s.testBody)
	}
}

// testRow checks what documentation is made of.
func (s suite) testRow(t *testing.T) {
	if s.row.Name == "" || s.row.Title == "" || s.row.Check == "" {
		t.Errorf("the row lacks a name, a title or what is checked: %+v", s.row)
	}
	documented := http.Header{}
	for _, name := range s.row.Headers {
		documented.Set(name, "x")
	}
	for _, proof := range s.call.Proofs {
		if documented.Get(proof) == "" {
			t.Errorf("the row does not name the header %s", proof)
		}
	}
	if s.row.HasEvents != (s.call.Event != "") {
		t.Errorf("HasEvents is %v, but the call names the event %q", s.row.HasEvents, s.call.Event)
	}
}

func (s suite) testAuthentic(t *testing.T) {
	if s.row.CheckSecret != nil && s.row.CheckSecret(s.call.Secret) != nil {
		t.Errorf("the Secret is said to be wrong: %v", s.row.CheckSecret(s.call.Secret))
	}
	result, err := s.verifier.Verify(t.Context(), s.request(), s.call.Secret)
	if err != nil {
		t.Fatalf("refused: %v", err)
	}
	if result.Event != s.call.Event || result.DeliveryID != s.call.DeliveryID || len(result.Payload) == 0 {
		t.Errorf("got %+v, want the event %q, the delivery %q and a payload", result, s.call.Event, s.call.DeliveryID)
	}
}

// testProof takes away, empties and alters each proof.
func (s suite) testProof(t *testing.T) {
	for _, name := range s.call.Proofs {
		value := s.call.Header.Get(name)
		if value == "" {
			t.Fatalf("the call lacks its proof %s", name)
		}
		without := s.request()
		without.Header.Del(name)
		s.refused(t, name+" missing", without, s.call.Secret)
		for what, altered := range map[string]string{
			"empty":     "",
			"cut":       value[:len(value)-1],
			"longer":    value + "0",
			"altered":   alter(value),
			"without =": strings.ReplaceAll(value, "=", ""),
			"of hash":   "sha256=" + strings.Repeat("0", 64),
			"the token": string(s.call.Secret[source.TokenKey]) + "x",
		} {
			if altered == value {
				continue // There was no "=".
			}
			r := s.request()
			r.Header.Set(name, altered)
			s.refused(t, name+" "+what, r, s.call.Secret)
		}
	}
}

// testToken makes the call with another token, with none and with an empty one, which nothing may match.
func (s suite) testToken(t *testing.T) {
	for _, token := range []string{"another-token", ""} {
		other := maps.Clone(s.call.Secret)
		other[source.TokenKey] = []byte(token)
		s.refused(t, "token "+token, s.request(), other)
	}
	s.refused(t, "no token", s.request(), map[string][]byte{})
}

// testBody alters one bit of each byte of the body, cuts it and lengthens it.
func (s suite) testBody(t *testing.T) {
	for i := range s.call.Body {
		r := s.request()
		r.Body[i] ^= 1 << (i % 8)
		s.refused(t, "altered body", r, s.call.Secret)
	}
	for _, body := range [][]byte{nil, s.call.Body[1:], append(bytes.Clone(s.call.Body), '\n')} {
		r := s.request()
		r.Body = body
		s.refused(t, "body of another length", r, s.call.Secret)
	}
}

// testUnchanged checks that nothing that a verifier is given is changed.
func (s suite) testUnchanged(t *testing.T) {
	r, data := s.request(), cloneSecret(s.call.Secret)
	if _, err := s.verifier.Verify(t.Context(), r, data); err != nil {
		t.Fatalf("refused: %v", err)
	}
	if !reflect.DeepEqual(r, s.request()) {
		t.Errorf("the request was changed to %+v", r)
	}
	if !reflect.DeepEqual(data, s.call.Secret) {
		t.Error("the Secret was changed")
	}
}

// testConcurrent is for the race detector.
func (s suite) testConcurrent(t *testing.T) {
	shared := s.request()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 20 {
				if result, err := s.verifier.Verify(t.Context(), shared, s.call.Secret); err != nil || result.Event != s.call.Event {
					t.Errorf("got %+v, %v", result, err)
					return
				}
			}
		})
	}
	all.Wait()
}

// refused checks that a call is not authentic, and that the error says nothing that is secret or the caller's.
func (s suite) refused(t *testing.T, what string, r *source.Request, data map[string][]byte) {
	t.Helper()
	result, err := s.verifier.Verify(t.Context(), r, data)
	if !source.IsUnauthenticated(err) {
		t.Errorf("%s: got %v, want an AuthError", what, err)
		return
	}
	if result.Event != "" || result.DeliveryID != "" || result.Payload != nil {
		t.Errorf("%s: a refused call has the result %+v", what, result)
	}
	quotable := []string{string(s.call.Secret[source.TokenKey]), string(r.Body)}
	for _, proof := range s.call.Proofs {
		quotable = append(quotable, r.Header.Get(proof))
	}
	for _, text := range quotable {
		// The end of it is enough, but has to be long enough not to be there by chance.
		end := text[max(0, len(text)-12):]
		if end != "" && strings.Contains(err.Error(), end) {
			t.Errorf("%s: the error quotes %q: %v", what, text, err)
		}
	}
}

// request returns a copy of the call that may be altered.
func (s suite) request() *source.Request {
	return &source.Request{Header: s.call.Header.Clone(), Body: bytes.Clone(s.call.Body)}
}

// alter changes the last character of a proof to another one that is as good.
func alter(value string) string {
	last := "1"
	if strings.HasSuffix(value, last) {
		last = "2"
	}
	return value[:len(value)-1] + last
}

func cloneSecret(data map[string][]byte) map[string][]byte {
	clone := make(map[string][]byte, len(data))
	for key, value := range data {
		clone[key] = bytes.Clone(value)
	}
	return clone
}
