package provider

import (
	"context"
	"encoding/pem"
	"errors"
	"fmt"
	"html"
	"io"
	"math/rand/v2"
	"net/url"
	"runtime"
	"strconv"
	"strings"
	"testing"
	"time"
)

func TestRedactorText(t *testing.T) {
	const webhook = "https://hooks.example.com/services/T000/B000/s3cr3tpath?key=s3cr3tquery&v=1"
	for _, test := range []struct {
		name    string
		secrets []string
		text    string
		want    string
	}{
		{"nothing to mask", nil, "a text", "a text"},
		{"as it is", []string{"s3cr3t"}, "token s3cr3t, again s3cr3t", "token *****, again *****"},
		{"trimmed", []string{" s3cr3t\n"}, "token s3cr3t", "token *****"},
		{"with space", []string{" s3cr3t "}, "token[ s3cr3t ]", "token[*****]"},
		{"in a query", []string{"a b/c&d"}, "?x=a+b%2Fc%26d", "?x=*****"},
		{"in a path", []string{"a b/c&d"}, "/a%20b%2Fc&d/", "/*****/"},
		{"in a path of others", []string{"a b/c&d"}, "/a%20b%2fc&d/", "/*****/"},
		{"in a query of others", []string{"a b/c&d"}, "?x=a+b%2fc%26d", "?x=*****"},
		{"not all escapes are", []string{"abc%2Fdef%"}, "abc%2fdef%, abc%", "*****, abc%"},
		{"in HTML", []string{`a"b&c<d>`}, "<p>a&#34;b&amp;c&lt;d&gt;</p> a&quot;b&amp;c&lt;d&gt;", "<p>*****</p> *****"},
		{"in JSON", []string{`a"b\c<d>`}, `{"token":"a\"b\\c\u003cd\u003e"}`, `{"token":"*****"}`},
		{"in JSON of others", []string{`a"b\c<d>`}, `{"token":"a\"b\\c<d>"}`, `{"token":"*****"}`},
		{"in JSON with escaped slashes", []string{"abc/def"}, `{"token":"abc\/def"}`, `{"token":"*****"}`},
		{"ends in a quote", []string{`abcdef"`}, `{"token":"abcdef\""}`, `{"token":"*****"}`},
		{"several lines", []string{"line one\nline  two"}, "got line one line two", "got *****"},
		{"not UTF-8", []string{"abc\xffdef"}, "got abcdef", "got *****"},
		{"short", []string{"abc", "ab", "a", ""}, "abc ab a", "abc ab a"},
		{"shortest", []string{"abcd"}, "abcd", "*****"},
		{"the longest first", []string{"secret", "secret-and-more"}, "secret-and-more, secret", "*****, *****"},
		{"the longest first, other order", []string{"secret-and-more", "secret"}, "secret-and-more, secret", "*****, *****"},
		{"credentials of a header", []string{"Bearer abcdef"}, "Bearer abcdef or abcdef; Bearer", "***** or *****; Bearer"},
		{"whole URL", []string{webhook}, "POST " + webhook, "POST *****"},
		{"request URI", []string{webhook}, "no route /services/T000/B000/s3cr3tpath?key=s3cr3tquery&v=1", "no route *****"},
		{"path", []string{webhook}, "no route /services/T000/B000/s3cr3tpath", "no route *****"},
		{"query", []string{webhook}, "query key=s3cr3tquery&v=1", "query *****"},
		{"query in JSON", []string{webhook}, `{"query":"key=s3cr3tquery\u0026v=1"}`, `{"query":"*****"}`},
		{"value of a query", []string{webhook}, "key s3cr3tquery is unknown in v 1", "key ***** is unknown in v 1"},
		{"host is no secret", []string{webhook}, "lookup hooks.example.com", "lookup hooks.example.com"},
		{"escaped path", []string{"https://h/planted%2Fpath"}, "/planted/path or /planted%2Fpath", "***** or *****"},
		{"short path is no secret", []string{"https://h/hook"}, "no route /hook", "no route /hook"},
		{"password of a URL", []string{"https://user:p4ss@h/"}, "user:p4ss or p4ss by user", "***** or ***** by user"},
		{"user of a URL without a password", []string{"https://token@h/"}, "no user token", "no user *****"},
		{"beginning before an ellipsis", []string{"s3cr3t-token"}, "token s3cr3t-t…", "token *****…"},
		{"beginning without an ellipsis", []string{"s3cr3t-token"}, "token s3cr3t-t", "token s3cr3t-t"},
		{"short beginning", []string{"s3cr3t-token"}, "token s3c…", "token s3c…"},
		{"longest beginning", []string{"s3cr", "aaas3cr3t-token"}, "token aaas3cr3…", "token *****…"},
		{"beginning in the middle", []string{"s3cr3t-token"}, "said s3cr3t…: change it …", "said *****…: change it …"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if got := NewRedactor(test.secrets...).Text(test.text); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestRedactorError(t *testing.T) {
	redactor := NewRedactor("s3cr3t")
	if err := redactor.Error(nil); err != nil {
		t.Errorf("error out of nothing: %v", err)
	}
	inner := &Error{Kind: Throttled, Reason: ReasonRateLimited, RetryAfter: time.Minute, Err: fmt.Errorf("token s3cr3t: %w", io.EOF)}
	err := redactor.Error(fmt.Errorf("wrapped, s3cr3t: %w", inner))
	var got *Error
	if !errors.As(err, &got) || got.Kind != Throttled || got.Reason != ReasonRateLimited || got.RetryAfter != time.Minute {
		t.Errorf("the classification is lost: %+v", got)
	}
	if want := "wrapped, *****: token *****: EOF"; err.Error() != want {
		t.Errorf("got %q, want %q", err, want)
	}
	// Whatever prints the error with all that is in it finds no secret either.
	if text := fmt.Sprintf("%+v %#v", err, errors.Unwrap(err)); strings.Contains(text, "s3cr3t") {
		t.Errorf("the secret is still in there: %s", text)
	}
	if inner.Error() != "token s3cr3t: EOF" {
		t.Errorf("the original error has changed: %v", inner)
	}
}

type failingSender struct{ err error }

func (s failingSender) Send(context.Context, *Notification) error { return s.err }

func TestRedact(t *testing.T) {
	redactor := NewRedactor("s3cr3t")
	if err := Redact(failingSender{}, redactor).Send(t.Context(), nil); err != nil {
		t.Errorf("error out of nothing: %v", err)
	}
	err := Redact(failingSender{errors.New("no s3cr3t")}, redactor).Send(t.Context(), nil)
	if err == nil || err.Error() != "no *****" || Classify(err).Kind != Transient {
		t.Errorf("got %v", err)
	}
}

func TestConfigSecrets(t *testing.T) {
	cfg := Config{
		Address:  "https://h/planted-path",
		Channel:  "general",
		Username: "user",
		Password: "planted-password",
		Token:    "planted-token",
		Headers:  map[string]string{"X-Env": "planted-header"},
		Secret: map[string][]byte{
			"username": []byte("user"), "password": []byte("planted-password"), "creds": []byte("planted-creds"),
			"proxy": []byte("http://user:planted-proxy@p/"), "ca.crt": []byte("certificate"),
		},
	}
	redactor := NewRedactor(cfg.Secrets()...)
	for text, want := range map[string]string{
		"https://h/planted-path, /planted-path": "*****, *****",
		"planted-password planted-token":        "***** *****",
		// user:planted-password
		"Basic dXNlcjpwbGFudGVkLXBhc3N3b3Jk":  "Basic *****",
		"planted-header, planted-creds":       "*****, *****",
		"planted-proxy at p":                  "***** at p",
		"user of general lacks a certificate": "user of general lacks a certificate",
	} {
		if got := redactor.Text(text); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

// TestSecretsOfProxyLogin checks that username and password are masked where the proxy gets them and the service does not.
func TestSecretsOfProxyLogin(t *testing.T) {
	cfg := Config{Secret: map[string][]byte{"username": []byte("user"), "password": []byte("planted-password")}}
	const text, want = "planted-password of user, Basic dXNlcjpwbGFudGVkLXBhc3N3b3Jk", "***** of user, Basic *****"
	if got := NewRedactor(cfg.Secrets()...).Text(text); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// TestSecretAddresses finds parts of an address that only the Secret has, and words that are masked because it has them.
func TestSecretAddresses(t *testing.T) {
	const slack = "https://hooks.example.com/services/T00000000/B0000/SUPERSECRETTOKEN"
	for _, test := range []struct{ address, text, want string }{
		{slack, "invalid repository id 'services/T00000000/B0000/SUPERSECRETTOKEN'", "invalid repository id '*****'"},
		{slack, "no services for T00000000, token SUPERSECRETTOKEN at hooks.example.com", "no services for *****, token ***** at hooks.example.com"},
		{slack + "/", "T00000000/B0000/SUPERSECRETTOKEN", "*****/B0000/*****"},
		{"https://h.example.com/acme/s3cr3tname.git", "acme/s3cr3tname, s3cr3tname", "*****, *****"},
		{"https://h.example.com/acme/s3cr3t%2Fname", "s3cr3t/name", "s3cr3t/name"},
		{"https://h.example.com/a%20b/s3cr3t-name", "'a b/s3cr3t-name', a%20b/s3cr3t-name", "'*****', a%20*****"},
		{"hooks.example.com:443/services/T0/SUPERSECRETTOKEN", "id '443/services/T0/SUPERSECRETTOKEN'", "id '*****'"},
		{"git@h.example.com:acme/s3cr3tname.git", "acme/s3cr3tname at h.example.com", "***** at h.example.com"},
		{"https://h.example.com/some/repository", "some repository", "some repository"},
		{"https://h.example.com/abcdefghijklmnop", "abcdefghijklmnop", "*****"},
		{"nats://nats-1.example.com:4222,nats://nats-2.example.com:4222", "nats-2.example.com:4222", "nats-2.example.com:4222"},
	} {
		cfg := Config{Address: test.address, Secret: map[string][]byte{"address": []byte(test.address + "\n")}}
		if got := NewRedactor(cfg.Secrets()...).Text(test.text); got != test.want {
			t.Errorf("%s: got %q, want %q", test.address, got, test.want)
		}
	}
	// What spec.address says everybody can see.
	cfg := Config{Address: "https://h.example.com/some/path-of-mine"}
	const text = "invalid repository id 'some/path-of-mine'"
	if got := NewRedactor(cfg.Secrets()...).Text(text); got != text {
		t.Errorf("got %q", got)
	}
}

// FuzzRedactor checks that no secret is left in what one text says before and after it, however it is escaped there.
func FuzzRedactor(f *testing.F) {
	f.Add("s3cr3t", "before ", " after")
	f.Add("https://u:p4ssw0rd@h/a/long/path?q=1", "", "…")
	f.Add("https://h/a/p%2Fth?q=<1>&r=\"2\"", "", "")
	f.Add("aaaa", "a", "a")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		if len(secret) < minSecret {
			return
		}
		redactor := NewRedactor(secret)
		query, path := url.QueryEscape(secret), url.PathEscape(secret)
		for _, written := range []string{
			secret, query, path, lowerEscapes(query), lowerEscapes(path), html.EscapeString(secret), unquoted(strconv.Quote(secret)),
		} {
			text := redactor.Text(before + written + after)
			if !strings.Contains(Mask, written) && strings.Contains(text, written) && !strings.Contains(before+Mask+after, written) {
				t.Errorf("%q is in %q", written, text)
			}
		}
	})
}

// TestRedactorOfLongValues finds what a text shows of a value that is too long to be kept.
func TestRedactorOfLongValues(t *testing.T) {
	long := "planted-" + strings.Repeat("<a b/ü>", 1000) + "-end"
	key := "-----BEGIN PRIVATE KEY-----\n" + strings.Repeat("planted/planted+\n", 100) + "-----END PRIVATE KEY-----\n"
	webhook := "https://h.example.com/planted/" + strings.Repeat("ab/%2F", 5000)
	quoted := func(text string) string { return text[:512] + Ellipsis }
	for _, tt := range []struct{ name, secret, text, want string }{
		{"as it is", long, "token " + long + " is wrong", "token *****…"},
		{"in a query", long, "token " + url.QueryEscape(long) + " is wrong", "token *****…"},
		{"in HTML", long, "token " + html.EscapeString(long) + " is wrong", "token *****…"},
		{"the beginning, quoted", long, "token " + quoted(long) + ": change it", "token *****…: change it"},
		{"the beginning, quoted and escaped", long, "token " + quoted(url.PathEscape(long)) + ": change it", "token *****…: change it"},
		{"a key", key, "no key: " + key, "no key: *****…"},
		{"a key on one line", key, "no key: " + strings.Join(strings.Fields(key), " "), "no key: *****…"},
		{"a key, quoted", key, "no key: " + quoted(key) + " at all", "no key: *****… at all"},
		{"credentials", "Bearer " + long[:8] + strings.Repeat("x", 2000), "no " + long[:8] + strings.Repeat("x", 2000), "no *****…"},
		{"path of an address", webhook, "no /planted/" + strings.Repeat("ab/%2F", 5000) + " here", "no *****…"},
		{"path of an address, quoted", webhook, "no " + quoted("/planted/"+strings.Repeat("ab/%2F", 5000)) + " here", "no *****… here"},
		{"twice", long, "token " + long + " and " + long, "token *****…"},
		{"the longest that is kept", strings.Repeat("x", maxValue), "token " + strings.Repeat("x", maxValue) + " is wrong", "token ***** is wrong"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if got := NewRedactor(tt.secret, "other").Text(tt.text); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
	// Several parts of an address may be long; none may show what comes before it.
	for _, address := range []string{
		"https://h.example.com/hk?a=k3y&token=" + strings.Repeat("x", 1600), "https://h.example.com/" + strings.Repeat("x", 1600),
		"https://h.example.com/hk?code=s3cr&sig=" + strings.Repeat("x", 1600),
	} {
		for range 20 {
			if got := NewRedactor(address).Text(fmt.Sprintf("Post %q: no such host", address)); got != `Post "*****…` {
				t.Fatalf("got %q", got)
			}
		}
	}
	// A value may be the beginning of another.
	for _, secrets := range [][]string{{long, clip(long, maxValue)}, {clip(long, maxValue), long}} {
		if got := NewRedactor(secrets...).Text("token " + long); got != "token *****…" {
			t.Errorf("got %q", got)
		}
	}
	var many []string
	for i := range 10_000 {
		many = append(many, fmt.Sprint("planted-", i))
	}
	err := NewRedactor(many...).Error(Throttledf(time.Minute, "no planted-1"))
	if got := Classify(err); got.Kind != Throttled || got.RetryAfter != time.Minute || !strings.Contains(err.Error(), "more than can be masked, which is 96 KiB") || strings.Contains(err.Error(), "planted") {
		t.Errorf("got %v", err)
	}
}

// TestRedactorMemory has Secrets of 1 MiB, which is what Kubernetes takes, cost no more than their share of a Provider.
func TestRedactorMemory(t *testing.T) {
	const most = 200 << 10
	var words, lines, values []string
	random := rand.New(rand.NewPCG(1, 2))
	text := func(n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(random.IntN(256))
		}
		return string(b)
	}
	for i := range 100_000 {
		words = append(words, fmt.Sprintf("%06d", i))
	}
	for range 1000 {
		lines = append(lines, text(1000))
	}
	for range 400 {
		values = append(values, text(20))
	}
	var keys []string
	for range 10 {
		keys = append(keys, string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: []byte(text(2348))})))
	}
	for _, tt := range []struct {
		name    string
		secrets []string
		full    bool
	}{
		{"one value", []string{strings.Repeat("<", 1<<20)}, false},
		{"one value of random bytes", []string{text(1 << 20)}, false},
		{"an address", []string{"https://h.example.com/" + strings.Repeat("<", 1<<20)}, false},
		{"an address with a query", []string{"https://h.example.com/?" + strings.Join(words, "&k=planted-")}, true},
		{"words", words, true},
		{"lines", lines, true},
		{"values of random bytes", values, true},
		{"words that are kept", words[:1300], false},
		{"values of random bytes that are kept", values[:40], false},
		{"ten keys", keys, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var before, after runtime.MemStats
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&before)
			redactor := NewRedactor(tt.secrets...)
			runtime.GC()
			runtime.GC()
			runtime.ReadMemStats(&after)
			if held := int64(after.HeapAlloc) - int64(before.HeapAlloc); held > most {
				t.Errorf("%d bytes are held", held)
			} else {
				t.Logf("%d bytes are held", held)
			}
			if redactor.full != tt.full {
				t.Errorf("full: %t", redactor.full)
			}
			runtime.KeepAlive(redactor)
		})
	}
}
