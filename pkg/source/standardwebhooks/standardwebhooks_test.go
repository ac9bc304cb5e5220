package standardwebhooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
	"github.com/notification-controller/notification-controller/pkg/source/standardsig"
	"github.com/notification-controller/notification-controller/pkg/source/standardwebhooks"
)

// The vector of the reference implementations:
// https://github.com/standard-webhooks/standard-webhooks/blob/main/libraries/go/webhook_test.go
const (
	token     = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
	id        = "msg_p5jXN8AQM9LWM0D4loKWxJek"
	body      = `{"test": 2432232314}`
	timestamp = "1614265330"
	signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
	wrong     = "v1,AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="
)

// at is the type with a clock that stands so long after the timestamp.
func at(after time.Duration) source.Type {
	return standardwebhooks.Type(func() time.Time { return time.Unix(1614265330, 0).Add(after) })
}

func headers(id, timestamp, signature string) http.Header {
	return sourcetest.Header("Webhook-Id", id, "Webhook-Timestamp", timestamp, "Webhook-Signature", signature)
}

// sign signs as the specification has it.
func sign(key []byte, id, timestamp, body string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "." + body))
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

func TestVerify(t *testing.T) {
	const good, notAuthentic = sourcetest.Authentic, sourcetest.NotAuthentic
	for _, test := range []struct {
		name   string
		header http.Header
		body   string
		want   sourcetest.Outcome
	}{
		{"vector", headers(id, timestamp, signature), body, good},
		{"second of two", headers(id, timestamp, wrong+" "+signature), body, good},
		{"first of two", headers(id, timestamp, signature+" "+wrong), body, good},
		{"beside other versions", headers(id, timestamp, "v1a,hnO3f9 v2,x "+signature), body, good},
		{"only of another version", headers(id, timestamp, "v1a"+strings.TrimPrefix(signature, "v1")), body, notAuthentic},
		{"without version", headers(id, timestamp, strings.TrimPrefix(signature, "v1,")), body, notAuthentic},
		{"none matches", headers(id, timestamp, wrong+" "+wrong), body, notAuthentic},
		{"separated by a comma", headers(id, timestamp, wrong+","+signature), body, notAuthentic},
		{"padding missing", headers(id, timestamp, strings.TrimRight(signature, "=")), body, notAuthentic},
		{"no signature", headers(id, timestamp, ""), body, notAuthentic},
		{"no id", headers("", timestamp, signature), body, notAuthentic},
		{"no timestamp", headers(id, "", signature), body, notAuthentic},
		{"another id", headers(id+"x", timestamp, signature), body, notAuthentic},
		{"another timestamp", headers(id, "1614265331", signature), body, notAuthentic},
		{"timestamp written otherwise", headers(id, "+"+timestamp, signature), body, notAuthentic},
		{"timestamp in milliseconds", headers(id, timestamp+"000", signature), body, notAuthentic},
		{"timestamp in words", headers(id, "now", signature), body, notAuthentic},
		{"timestamp too large", headers(id, "9223372036854775808", signature), body, notAuthentic},
		{"another body", headers(id, timestamp, signature), body + " ", notAuthentic},
	} {
		want := sourcetest.Case{Name: test.name, Secret: sourcetest.Secret("token", token, "other", "x"),
			Header: test.header, Body: test.body, Want: test.want, DeliveryID: id}
		sourcetest.RunCases(t, at(0), []sourcetest.Case{want})
	}
}

func TestTimestamp(t *testing.T) {
	for after, want := range map[time.Duration]sourcetest.Outcome{
		-standardsig.Tolerance - time.Second: sourcetest.NotAuthentic,
		-standardsig.Tolerance:               sourcetest.Authentic,
		0:                                    sourcetest.Authentic,
		standardsig.Tolerance:                sourcetest.Authentic,
		standardsig.Tolerance + time.Second:  sourcetest.NotAuthentic,
		24 * time.Hour:                       sourcetest.NotAuthentic,
	} {
		_, err := sourcetest.Verify(at(after), headers(id, timestamp, signature), body, sourcetest.Secret("token", token))
		if got := sourcetest.OutcomeOf(t, err); got != want {
			t.Errorf("%s after: got %q, want %q", after, got, want)
		}
	}
}

// TestValidUntil has a call be authentic as long as it says.
func TestValidUntil(t *testing.T) {
	secret := sourcetest.Secret("token", token)
	result, err := sourcetest.Verify(at(0), headers(id, timestamp, signature), body, secret)
	if err != nil {
		t.Fatal(err)
	}
	signed, _ := strconv.ParseInt(timestamp, 10, 64)
	valid := result.ValidUntil.Sub(time.Unix(signed, 0))
	for after, want := range map[time.Duration]sourcetest.Outcome{valid - 1: sourcetest.Authentic, valid: sourcetest.NotAuthentic} {
		_, err := sourcetest.Verify(at(after), headers(id, timestamp, signature), body, secret)
		if got := sourcetest.OutcomeOf(t, err); got != want {
			t.Errorf("%s after: got %q, want %q", after, got, want)
		}
	}
}

// TestDots has what would be signed alike if an id could have dots.
func TestDots(t *testing.T) {
	key, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(token, "whsec_"))
	signed := sign(key, "a", timestamp, timestamp+".{}")
	for _, test := range []struct {
		id, body string
		want     sourcetest.Outcome
	}{
		{"a", timestamp + ".{}", sourcetest.Authentic},
		{"a." + timestamp, "{}", sourcetest.NotAuthentic},
	} {
		_, err := sourcetest.Verify(at(0), headers(test.id, timestamp, signed), test.body, sourcetest.Secret("token", token))
		if got := sourcetest.OutcomeOf(t, err); got != test.want {
			t.Errorf("id %q: got %q, want %q", test.id, got, test.want)
		}
	}
}

func TestKeys(t *testing.T) {
	key := []byte("not a multiple of three")
	for name, test := range map[string]struct {
		token, signature string
		want             sourcetest.Outcome
	}{
		"padded":        {"whsec_" + base64.StdEncoding.EncodeToString(key), sign(key, id, timestamp, body), sourcetest.Authentic},
		"not padded":    {"whsec_" + base64.RawStdEncoding.EncodeToString(key), sign(key, id, timestamp, body), sourcetest.Authentic},
		"no prefix":     {strings.TrimPrefix(token, "whsec_"), signature, sourcetest.NotAuthentic},
		"not decoded":   {token, sign([]byte(token), id, timestamp, body), sourcetest.NotAuthentic},
		"another key":   {"whsec_AAAA", signature, sourcetest.NotAuthentic},
		"empty key":     {"whsec_", sign(nil, id, timestamp, body), sourcetest.NotAuthentic},
		"not base64":    {"whsec_!", sign(nil, id, timestamp, body), sourcetest.NotAuthentic},
		"asymmetric":    {"whpk_" + strings.TrimPrefix(token, "whsec_"), signature, sourcetest.NotAuthentic},
		"empty token":   {"", sign(nil, id, timestamp, body), sourcetest.NotAuthentic},
		"only padding":  {"whsec_====", sign(nil, id, timestamp, body), sourcetest.NotAuthentic},
		"the signature": {"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", token, sourcetest.NotAuthentic},
	} {
		_, err := sourcetest.Verify(at(0), headers(id, timestamp, test.signature), body, sourcetest.Secret("token", test.token))
		if got := sourcetest.OutcomeOf(t, err); got != test.want {
			t.Errorf("%s: got %q, want %q", name, got, test.want)
		}
	}
}

// FuzzVerify checks that what is signed as the specification has it verifies, under any key and among any other
// signatures, that it does not with any part of it altered or too late, and that no other signature verifies.
func FuzzVerify(f *testing.F) {
	f.Add([]byte("key"), id, int64(0), body, signature, "x")
	f.Add([]byte{0}, "1.2", int64(300), "", "", ".")
	f.Add([]byte("key"), "", int64(-301), ".", " ", " ")
	f.Fuzz(func(t *testing.T, key []byte, id string, late int64, body, other, more string) {
		timestamp := strconv.FormatInt(1614265330-late%1000, 10)
		right := sign(key, id, timestamp, body)
		secret := sourcetest.Secret("token", "whsec_"+base64.StdEncoding.EncodeToString(key))
		verify := func(id, timestamp, signature, body string) bool {
			result, err := sourcetest.Verify(at(0), headers(id, timestamp, signature), body, secret)
			authentic := sourcetest.OutcomeOf(t, err) == sourcetest.Authentic
			if authentic && (result.DeliveryID != id || string(result.Payload) != body) {
				t.Fatalf("what is handed on is not what was signed: %+v", result)
			}
			return authentic
		}
		fresh := -300 <= late%1000 && late%1000 <= 300
		want := len(key) > 0 && id != "" && !strings.Contains(id, ".") && fresh
		if got := verify(id, timestamp, other+" "+right+" "+other, body); got != want {
			t.Fatalf("rightly signed: %v, want %v", got, want)
		}
		if other != right && !strings.Contains(other, " ") && verify(id, timestamp, other, body) {
			t.Fatal("another signature verified")
		}
		if more == "" {
			return
		}
		if verify(id+more, timestamp, right, body) || verify(id, timestamp+more, right, body) || verify(id, timestamp, right, body+more) {
			t.Fatal("what was altered verified")
		}
	})
}
