package providertest

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Answer is an answer of a service and the error that it makes, or nil.
type Answer struct {
	Status int
	Body   string
	// Header is names and values in turn.
	Header []string
	Want   *provider.Error
	// Says is in the text of the error.
	Says string
}

// CheckAnswers checks what a new sender makes of answers.
func CheckAnswers(t *testing.T, construct Constructor, config func(url string) provider.Config, answers []Answer) {
	for _, answer := range answers {
		t.Run(fmt.Sprint(answer.Status, " ", answer.Body), func(t *testing.T) {
			service := Serve(t, Answering(answer.Status, answer.Body, answer.Header...))
			err := Attempt(t, construct, config(service.URL), Notification())
			if err == nil || answer.Want == nil {
				if err != nil || answer.Want != nil {
					t.Errorf("error %v, want %+v", err, answer.Want)
				}
				return
			}
			got := provider.Classify(err)
			if got.Kind != answer.Want.Kind || got.Reason != answer.Want.Reason || got.RetryAfter != answer.Want.RetryAfter {
				t.Errorf("error %+v, want %+v", got, answer.Want)
			}
			if !strings.Contains(err.Error(), answer.Says) {
				t.Errorf("error %v, want one that says %q", err, answer.Says)
			}
		})
	}
}

// Answering answers with a status, a body and headers, names and values in turn.
func Answering(status int, body string, header ...string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		for i := 0; i < len(header); i += 2 {
			w.Header().Set(header[i], header[i+1])
		}
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}
}
