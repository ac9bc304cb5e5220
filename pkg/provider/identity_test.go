package provider

import (
	"context"
	"errors"
	"slices"
	"testing"
)

func TestWithToken(t *testing.T) {
	refused := Permanentf(ReasonAuth, "refused")
	broken := errors.New("no token")
	for name, test := range map[string]struct {
		// tokens are what is returned, one after the other; empty for an error. fixed says that there is no other.
		tokens []string
		fixed  bool
		good   string
		sent   []string
		want   error
	}{
		"good":            {tokens: []string{"a"}, good: "a", sent: []string{"a"}},
		"revoked":         {tokens: []string{"a", "b"}, good: "b", sent: []string{"a", "b"}},
		"refused for all": {tokens: []string{"a", "b", "c"}, sent: []string{"a", "b"}, want: refused},
		"the same":        {tokens: []string{"a", "a"}, sent: []string{"a"}, want: refused},
		"fixed":           {tokens: []string{"a", "b"}, fixed: true, good: "b", sent: []string{"a"}, want: refused},
		"none":            {tokens: []string{""}, want: broken},
		"no other":        {tokens: []string{"a", ""}, sent: []string{"a"}, want: broken},
	} {
		t.Run(name, func(t *testing.T) {
			var sent []string
			forgotten := 0
			forget := func() { forgotten++ }
			if test.fixed {
				forget = nil
			}
			got := 0
			get := func(context.Context) (string, error) {
				got++
				if token := test.tokens[got-1]; token != "" {
					return token, nil
				}
				return "", broken
			}
			err := WithToken(t.Context(), get, forget, func(token string) error {
				sent = append(sent, token)
				if token != test.good {
					return refused
				}
				return nil
			})
			if !errors.Is(err, test.want) || !slices.Equal(sent, test.sent) || forgotten != max(got-1, 0) {
				t.Errorf("sent %q, forgot %d, %v, want %q, %v", sent, forgotten, err, test.sent, test.want)
			}
		})
	}
	t.Run("another failure", func(t *testing.T) {
		get := func(context.Context) (string, error) { return "a", nil }
		forget := func() { t.Error("forgotten") }
		down := Transientf(ReasonServerError, "down")
		if err := WithToken(t.Context(), get, forget, func(string) error { return down }); !errors.Is(err, down) {
			t.Errorf("got %v", err)
		}
	})
}
