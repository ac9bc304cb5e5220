package provider

import (
	"context"
	"encoding/json"
	"errors"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// Mask stands in texts where a secret was.
	Mask = "*****"
	// Ellipsis stands in texts where a quotation was cut.
	Ellipsis = "…"
)

// minSecret is the length from which a value is masked: shorter ones would mask ordinary words and tell nothing.
const minSecret = 4

// minURLPart is the same for parts of addresses, which are more often words: "/hook" hides nothing.
const minURLPart = 8

// Redactor masks secrets in texts.
type Redactor struct {
	replacer *strings.Replacer
	forms    []string
}

// NewRedactor returns a Redactor for the given secrets, in the forms in which they may appear in a text: as they
// are, without surrounding space, escaped for a URL, for JSON, for HTML or for a quoted string. Of a URL the path with the
// query and the user information are secrets too, since chat services put their tokens there; so is what follows
// the scheme in the value of an Authorization header.
func NewRedactor(secrets ...string) *Redactor {
	var forms []string
	for _, secret := range secrets {
		trimmed := strings.TrimSpace(secret)
		for _, part := range append(parts(trimmed), secret, trimmed) {
			forms = append(forms, spellings(part)...)
		}
	}
	// The replacer takes the first of the forms that match at a place: the longest has to come first.
	slices.SortFunc(forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	forms = slices.Compact(forms)
	pairs := make([]string, 0, 2*len(forms))
	for _, form := range forms {
		pairs = append(pairs, form, Mask)
	}
	return &Redactor{strings.NewReplacer(pairs...), forms}
}

// parts returns what of a secret is a secret by itself.
func parts(secret string) []string {
	// "Bearer TOKEN", "Basic CREDENTIALS": a service may well quote only the second.
	if fields := strings.Fields(secret); len(fields) == 2 {
		return fields[1:]
	}
	u, err := url.Parse(secret)
	if err != nil || u.Host == "" {
		return nil
	}
	candidates := []string{u.RequestURI(), u.Path, u.RawQuery}
	for _, values := range u.Query() {
		candidates = append(candidates, values...)
	}
	var found []string
	for _, candidate := range candidates {
		if len(candidate) >= minURLPart {
			found = append(found, candidate)
		}
	}
	if u.User != nil {
		found = append(found, u.User.String())
		if password, ok := u.User.Password(); ok {
			found = append(found, password)
		} else {
			// A user without a password is a token.
			found = append(found, u.User.Username())
		}
	}
	return found
}

// pathParts returns what of an address that is a secret as a whole is one by itself, too: its path as the name of a
// repository, and the elements that are no words. Services and errors quote them out of their place.
func pathParts(address string) []string {
	path := ""
	switch u, err := url.Parse(address); {
	// A list of hosts, as NATS has it, has no path.
	case err == nil && u.Host != "" && !strings.Contains(u.Host, ","):
		path = u.Path
	// HOST:PATH, as SSH has it.
	case !strings.Contains(address, "://"):
		_, path, _ = strings.Cut(address, ":")
	}
	path = strings.TrimSuffix(strings.Trim(path, "/"), ".git")
	var found []string
	for _, part := range append(strings.Split(path, "/"), path) {
		if len(part) >= minURLPart && !isWord(part) {
			found = append(found, part)
		}
	}
	return found
}

// isWord says whether a part of an address may be a word of any text, such as "services" or "repository".
func isWord(part string) bool {
	const longest = 15
	return len(part) <= longest && strings.Trim(part, "abcdefghijklmnopqrstuvwxyz") == ""
}

// spellings returns the ways in which s may be written in a text.
func spellings(s string) []string {
	if len(s) < minSecret {
		return nil
	}
	// Text of other services is quoted on one line and as valid UTF-8.
	oneLine := strings.ToValidUTF8(strings.Join(strings.Fields(s), " "), "")
	found := []string{s, oneLine, url.QueryEscape(s), url.PathEscape(s), unquoted(strconv.Quote(s))}
	for _, form := range found[:4] {
		found = append(found, lowerEscapes(form))
	}
	escaped := html.EscapeString(s)
	found = append(found, escaped, strings.ReplaceAll(escaped, "&#34;", "&quot;"))
	if quoted, err := json.Marshal(s); err == nil {
		// Some encoders escape slashes as well.
		found = append(found, unquoted(string(quoted)), strings.ReplaceAll(unquoted(string(quoted)), "/", `\/`))
	}
	return slices.DeleteFunc(found, func(form string) bool { return len(form) < minSecret })
}

// lowerEscapes returns s with the escapes of a URL in lower case, as some services write them: %2f for %2F.
func lowerEscapes(s string) string {
	pieces := strings.Split(s, "%")
	for i, piece := range pieces[1:] {
		n := min(len(piece), 2)
		pieces[i+1] = strings.ToLower(piece[:n]) + piece[n:]
	}
	return strings.Join(pieces, "%")
}

func unquoted(quoted string) string { return quoted[1 : len(quoted)-1] }

// Text returns s with all secrets masked, also where a quotation that ends in an [Ellipsis] shows only the
// beginning of one.
func (r *Redactor) Text(s string) string {
	pieces := strings.Split(s, Ellipsis)
	for i := range pieces[:len(pieces)-1] {
		pieces[i] = r.maskCut(pieces[i])
	}
	return r.replacer.Replace(strings.Join(pieces, Ellipsis))
}

// maskCut masks a secret of which s shows the beginning at its end.
func (r *Redactor) maskCut(s string) string {
	longest := 0
	for _, form := range r.forms {
		for n := min(len(form), len(s)); n >= minSecret && n > longest; n-- {
			if strings.HasSuffix(s, form[:n]) {
				longest = n
			}
		}
	}
	if longest == 0 {
		return s
	}
	return s[:len(s)-longest] + Mask
}

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
func Redact(s Sender, r *Redactor) Sender { return &redacted{s, r} }

type redacted struct {
	sender   Sender
	redactor *Redactor
}

func (s *redacted) Send(ctx context.Context, n *Notification) error {
	return s.redactor.Error(s.sender.Send(ctx, n))
}
