package provider

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"html"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
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

const (
	// maxValue is how many bytes of a value are looked for. An error quotes 512 bytes of an answer, and so the beginning of
	// a longer value at most.
	maxValue = 1 << 10
	// maxAddress is how many bytes of a URL are looked at for its parts; servers take no longer ones.
	maxAddress = 16 << 10
	// maxForms is how many bytes the forms of all values may take. Those of ten private keys in PEM fit in.
	maxForms = 96 << 10
	// formOverhead is what a form takes besides its bytes, at most.
	formOverhead = 64
)

// withheld is said instead of a text in which not everything could be masked.
var withheld = fmt.Sprintf("this is not shown, since the Secrets of the Provider hold more than can be masked, which is %d KiB with all spellings: "+
	"take out what it does not need", maxForms>>10)

// Redactor masks secrets in texts.
type Redactor struct {
	// forms are the ways to write all values, the longest first.
	forms []string
	// beginnings are those of the forms that are not all of a value.
	beginnings []string
	// full says that there are more forms than are kept.
	full bool
}

// NewRedactor returns a Redactor for the given secrets, in the forms in which they may appear in a text: as they
// are, without surrounding space, escaped for a URL, for JSON, for HTML or for a quoted string. Of a URL the path with the
// query and the user information are secrets too, since chat services put their tokens there; so is what follows
// the scheme in the value of an Authorization header.
//
// A Secret has up to 1 MiB, and a Redactor is kept for each Provider. A value of more than 1 KiB is known by its beginning,
// and a text ends where that is found. What a text shows of it without the beginning, such as a line in the middle of a
// private key, is not masked. Of secrets that take more memory than a Redactor may, no text is shown at all.
func NewRedactor(secrets ...string) *Redactor {
	r := &Redactor{}
	// Whether each form is a beginning only.
	known, size := map[string]bool{}, 0
	for _, secret := range secrets {
		trimmed := strings.TrimSpace(secret)
		for _, part := range append(parts(trimmed), secret, trimmed) {
			beginning := clip(part, maxValue)
			for _, form := range spellings(beginning) {
				if _, ok := known[form]; !ok {
					size += len(form) + formOverhead
					// What is cut out of a text keeps all of it in memory.
					form = strings.Clone(form)
				}
				if size > maxForms {
					return &Redactor{full: true}
				}
				known[form] = known[form] || len(beginning) < len(part)
			}
		}
	}
	for form, beginning := range known {
		r.forms = append(r.forms, form)
		if beginning {
			r.beginnings = append(r.beginnings, form)
		}
	}
	// The first of the forms at a place is taken: the longest has to come first.
	slices.SortFunc(r.forms, func(a, b string) int {
		if len(a) != len(b) {
			return len(b) - len(a)
		}
		return strings.Compare(a, b)
	})
	return r
}

// clip returns at most limit bytes of s, cut between characters.
func clip(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	for i := range utf8.UTFMax {
		if utf8.RuneStart(s[limit-i]) {
			return s[:limit-i]
		}
	}
	return s[:limit]
}

// parts returns what of a secret is a secret by itself.
func parts(secret string) []string {
	secret = clip(secret, maxAddress)
	// It is not a URL where it was cut in an escape.
	if i := strings.LastIndexByte(secret, '%'); i >= 0 && i >= len(secret)-2 && len(secret) >= maxAddress-utf8.UTFMax {
		secret = secret[:i]
	}
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
	address = clip(address, maxAddress)
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
	if r.full && s != "" {
		return withheld
	}
	// Nothing is said after a value that goes on.
	if at := r.firstBeginning(s); at >= 0 {
		s = s[:at] + Mask + Ellipsis
	}
	pieces := strings.Split(s, Ellipsis)
	for i := range pieces[:len(pieces)-1] {
		pieces[i] = r.maskCut(pieces[i])
	}
	return r.mask(strings.Join(pieces, Ellipsis))
}

// firstBeginning is where the first value that goes on begins in s, or -1. Those of one address begin at several places.
func (r *Redactor) firstBeginning(s string) int {
	first := -1
	for _, beginning := range r.beginnings {
		if at := strings.Index(s, beginning); at >= 0 && (first < 0 || at < first) {
			first = at
		}
	}
	return first
}

// mask masks all forms in s. A [strings.Replacer] would do the same, but takes several times the memory of the forms.
func (r *Redactor) mask(s string) string {
	var masked strings.Builder
	from := 0
	for i := 0; i < len(s); {
		at := slices.IndexFunc(r.forms, func(form string) bool { return strings.HasPrefix(s[i:], form) })
		if at < 0 {
			i++
			continue
		}
		masked.WriteString(s[from:i] + Mask)
		i += len(r.forms[at])
		from = i
	}
	return masked.String() + s[from:]
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
