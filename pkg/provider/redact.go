package provider

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
)

// Mask stands in texts where a secret was.
const Mask = "*****"

// minSecret is the length from which a value is masked: shorter ones would mask ordinary words and tell nothing.
const minSecret = 4

// minURLPart is the same for parts of addresses, which are more often words: "/hook" hides nothing.
const minURLPart = 8

// Redactor masks secrets in texts.
type Redactor struct{ replacer *strings.Replacer }

// NewRedactor returns a Redactor for the given secrets, in the forms in which they may appear in a text: as they
// are, without surrounding space, escaped for a URL or for JSON. Of a URL the path with the query and the user
// information are secrets too, since chat services put their tokens there.
func NewRedactor(secrets ...string) *Redactor {
	var forms []string
	add := func(s string) {
		if len(s) >= minSecret {
			forms = append(forms, s)
		}
	}
	for _, secret := range secrets {
		trimmed := strings.TrimSpace(secret)
		add(secret)
		add(trimmed)
		add(url.QueryEscape(trimmed))
		add(url.PathEscape(trimmed))
		if quoted, err := json.Marshal(trimmed); err == nil {
			add(strings.Trim(string(quoted), `"`))
		}
		if u, err := url.Parse(trimmed); err == nil && u.Host != "" {
			for _, part := range []string{u.RequestURI(), u.Path, u.RawQuery} {
				if len(part) >= minURLPart {
					add(part)
				}
			}
			if password, ok := u.User.Password(); ok {
				add(password)
				add(u.User.String())
			}
		}
	}
	// The replacer takes the first of the forms that match at a place: the longest has to come first.
	slices.SortFunc(forms, func(a, b string) int { return len(b) - len(a) })
	forms = slices.Compact(forms)
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, Mask)
	}
	return &Redactor{strings.NewReplacer(pairs...)}
}

// Text returns s with all secrets masked.
func (r *Redactor) Text(s string) string { return r.replacer.Replace(s) }

// Error returns err with all secrets masked in its text and its classification kept. What it wraps is cut off,
// since that could still be printed.
func (r *Redactor) Error(err error) error {
	if err == nil {
		return nil
	}
	classified := *Classify(err)
	classified.Err = errors.New(r.Text(err.Error()))
	return &classified
}

// Redact returns a Sender whose errors have all secrets masked.
func Redact(s Sender, r *Redactor) Sender {
	if orderer, ok := s.(Orderer); ok {
		return &redactedOrderer{redacted{s, r}, orderer}
	}
	return &redacted{s, r}
}

type redacted struct {
	sender   Sender
	redactor *Redactor
}

func (s *redacted) Send(ctx context.Context, n *Notification) error {
	return s.redactor.Error(s.sender.Send(ctx, n))
}

type redactedOrderer struct {
	redacted
	Orderer
}
