package provider

import (
	"context"
	"errors"
	"fmt"
	"io"
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

// FuzzRedactor checks that no secret is left in what one text says before and after it.
func FuzzRedactor(f *testing.F) {
	f.Add("s3cr3t", "before ", " after")
	f.Add("https://u:p4ssw0rd@h/a/long/path?q=1", "", "…")
	f.Add("aaaa", "a", "a")
	f.Fuzz(func(t *testing.T, secret, before, after string) {
		text := NewRedactor(secret).Text(before + secret + after)
		if len(secret) >= minSecret && !strings.Contains(Mask, secret) && strings.Contains(text, secret) &&
			!strings.Contains(before+Mask+after, secret) {
			t.Errorf("%q is in %q", secret, text)
		}
	})
}
