package harbor_test

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/harbor"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// body is the sample of spec/receivers.md §5.7.
const body = `{"type":"PUSH_ARTIFACT","event_data":{"resources":[{"tag":"1.2.3"}],"repository":{"repo_full_name":"acme/shop"}}}`

func TestVerify(t *testing.T) {
	const good, notAuthentic = sourcetest.Authentic, sourcetest.NotAuthentic
	bearer := "Bearer " + sourcetest.Token
	sourcetest.RunCases(t, harbor.Type(), []sourcetest.Case{
		{Name: "token", Header: sourcetest.Header("Authorization", sourcetest.Token), Body: body, Want: good},
		{Name: "any body", Header: sourcetest.Header("Authorization", sourcetest.Token), Body: "not JSON", Want: good},
		{Name: "token with a scheme", Secret: sourcetest.Secret("token", bearer),
			Header: sourcetest.Header("Authorization", bearer), Body: body, Want: good},
		{Name: "scheme too many", Header: sourcetest.Header("Authorization", bearer), Body: body, Want: notAuthentic},
		{Name: "missing", Header: sourcetest.Header(), Body: body, Want: notAuthentic},
		{Name: "wrong", Header: sourcetest.Header("Authorization", "other"), Body: body, Want: notAuthentic},
		{Name: "other header", Header: sourcetest.Header("X-Gitlab-Token", sourcetest.Token), Body: body, Want: notAuthentic},
		{Name: "empty token", Secret: sourcetest.Secret("token", ""), Header: sourcetest.Header(), Body: body, Want: notAuthentic},
	})
}

// FuzzVerify checks that only the very token is good.
func FuzzVerify(f *testing.F) {
	f.Add(sourcetest.Token, sourcetest.Token, body)
	f.Add("", "", "")
	f.Add("a", "a ", "{}")
	f.Fuzz(func(t *testing.T, token, given, sent string) {
		result, err := sourcetest.Verify(harbor.Type(), sourcetest.Header("Authorization", given), sent, sourcetest.Secret("token", token))
		if good := token == given && token != ""; (sourcetest.OutcomeOf(t, err) == sourcetest.Authentic) != good {
			t.Fatalf("%q for the token %q: %v", given, token, err)
		}
		if err == nil && string(result.Payload) != sent {
			t.Fatal("what is handed on is not what was sent")
		}
	})
}
