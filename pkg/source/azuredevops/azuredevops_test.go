package azuredevops_test

import (
	"encoding/base64"
	"strings"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/azuredevops"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

const body = `{"eventType":"git.push","resource":{"repository":{"name":"shop"}}}`

func basic(userAndPassword string) string {
	return "Basic " + base64.StdEncoding.EncodeToString([]byte(userAndPassword))
}

func TestVerify(t *testing.T) {
	const good, notAuthentic = sourcetest.Authentic, sourcetest.NotAuthentic
	anyUser := sourcetest.Secret("token", sourcetest.Token, "other", "x")
	oneUser := sourcetest.Secret("token", sourcetest.Token, "username", "azure")
	for _, test := range []struct {
		name   string
		secret map[string][]byte
		auth   string
		want   sourcetest.Outcome
	}{
		{"any user", anyUser, basic("azure:" + sourcetest.Token), good},
		{"no user", anyUser, basic(":" + sourcetest.Token), good},
		{"the user", oneUser, basic("azure:" + sourcetest.Token), good},
		// RFC 7617: the scheme is case-insensitive.
		{"lower case", oneUser, "basic" + basic("azure:" + sourcetest.Token)[len("Basic"):], good},
		{"empty user name in the Secret", sourcetest.Secret("token", sourcetest.Token, "username", ""), basic("x:" + sourcetest.Token), good},
		{"another user", oneUser, basic("other:" + sourcetest.Token), notAuthentic},
		{"no user instead of the user", oneUser, basic(":" + sourcetest.Token), notAuthentic},
		{"password of the name", oneUser, basic("azure:azure"), notAuthentic},
		{"wrong password", anyUser, basic("azure:other"), notAuthentic},
		{"no password", anyUser, basic("azure:"), notAuthentic},
		{"no colon", anyUser, basic(sourcetest.Token), notAuthentic},
		{"colon in the password", anyUser, basic("azure:x:" + sourcetest.Token), notAuthentic},
		{"missing", anyUser, "", notAuthentic},
		{"another scheme", anyUser, "Bearer " + sourcetest.Token, notAuthentic},
		{"not base64", anyUser, "Basic azure:" + sourcetest.Token, notAuthentic},
		{"empty token", sourcetest.Secret("token", ""), basic("azure:"), notAuthentic},
		{"no token", sourcetest.Secret(), basic(":"), notAuthentic},
	} {
		sourcetest.RunCases(t, azuredevops.Type(), []sourcetest.Case{{
			Name: test.name, Secret: test.secret, Header: sourcetest.Header("Authorization", test.auth), Body: body, Want: test.want,
		}})
	}
}

// FuzzVerify checks that the right user and password are good and others are not, and that no header makes it panic.
func FuzzVerify(f *testing.F) {
	f.Add("azure", sourcetest.Token, "azure", sourcetest.Token, basic("azure:"+sourcetest.Token))
	f.Add("", sourcetest.Token, "x", sourcetest.Token, "Basic =")
	f.Add("azure", "", "azure", "", "")
	f.Fuzz(func(t *testing.T, user, token, givenUser, givenPassword, header string) {
		secret := sourcetest.Secret("token", token, "username", user)
		verify := func(auth string) bool {
			_, err := sourcetest.Verify(azuredevops.Type(), sourcetest.Header("Authorization", auth), body, secret)
			return sourcetest.OutcomeOf(t, err) == sourcetest.Authentic
		}
		if verify(header) && token == "" {
			t.Fatal("an empty token was matched")
		}
		// RFC 7617: the first colon ends the user name.
		name, password, _ := strings.Cut(givenUser+":"+givenPassword, ":")
		want := token != "" && password == token && (user == "" || name == user)
		if got := verify(basic(givenUser + ":" + givenPassword)); got != want {
			t.Fatalf("%q:%q for %q:%q: %v", givenUser, givenPassword, user, token, got)
		}
	})
}
