package sourcetest

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
)

// RunPathOnly checks what comes of bodies sent to a type whose only credential is the webhook path: of a sample, and of
// those that have a field of a wrong type, by what it is.
func RunPathOnly(t *testing.T, row source.Type, sample string, wrong map[string]string) {
	cases := []Case{
		{Name: "sample", Body: sample, Want: Authentic},
		{Name: "no fields", Body: "{}", Want: Authentic},
		{Name: "null", Body: "null", Want: Authentic},
		{Name: "other fields", Body: `{"other":[1]}`, Want: Authentic},
		{Name: "more behind it", Body: sample + "{", Want: Authentic},
		{Name: "empty", Body: "", Want: BadPayload},
		{Name: "not JSON", Body: "tag=1.2.3", Want: BadPayload},
		{Name: "cut", Body: sample[:len(sample)-1], Want: BadPayload},
		{Name: "not an object", Body: "[]", Want: BadPayload},
	}
	for what, body := range wrong {
		cases = append(cases, Case{Name: what + " of a wrong type", Body: body, Want: BadPayload})
	}
	RunCases(t, row, cases)
}

// FuzzPathOnly fuzzes a type whose only credential is the webhook path: a call is never refused as not authentic, nothing
// that follows the first JSON value changes the answer, and neither headers nor the token do.
func FuzzPathOnly(f *testing.F, row source.Type, seeds ...string) {
	for _, seed := range append(seeds, "", "{}", "null", "[]", "{}{", `{"a":`) {
		f.Add(seed, Token)
	}
	f.Fuzz(func(t *testing.T, body, text string) {
		result, err := Verify(row, Header(), body, Secret(source.TokenKey, Token))
		outcome := OutcomeOf(t, err)
		if outcome == NotAuthentic {
			t.Fatalf("refused: %v", err)
		}
		if outcome == Authentic && string(result.Payload) != body {
			t.Fatal("what is handed on is not what was sent")
		}
		_, err = Verify(row, Header("Authorization", text, "X-Signature", text), body+" {", Secret(source.TokenKey, text))
		if again := OutcomeOf(t, err); outcome == Authentic && again != outcome {
			t.Fatalf("with more behind it: %v", err)
		}
	})
}
