package expr

import (
	"errors"
	"fmt"
	"regexp"
	"regexp/syntax"
	"runtime"
	"strings"
	"sync"
	"unicode/utf8"
	"weak"
)

const (
	// maxSource is how many bytes an expression may have. Parsing one of that length takes a few milliseconds and some
	// hundred KiB, see parsing.
	maxSource = 4 << 10
	// maxSources is the same for all expressions of a list: they are parsed with each edit, whatever becomes of them.
	maxSources = 16 << 10
	// maxSize is how large an expression may be. A match takes up to 20 ns for each byte of text and instruction, so that
	// one with this many takes some 2 s for a text of MaxText at worst, and mostly a thousandth of that.
	maxSize = 2000
	// maxSizes is the same for all expressions of a list: some two hundred sentences.
	maxSizes = 10_000
)

// MaxText is how many bytes of a text are matched.
const MaxText = 64 << 10

// CutText returns the part of a text that is matched, cut between characters.
func CutText(text string) string {
	if len(text) <= MaxText {
		return text
	}
	end := MaxText
	for end > MaxText-utf8.UTFMax && !utf8.RuneStart(text[end]) {
		end--
	}
	return text[:end]
}

// Regexps compiles regular expressions, each once however many objects have it: thousands of Alerts often share a few,
// and a compiled one takes kilobytes. It forgets those that nobody uses any more. It is safe for concurrent use.
type Regexps struct {
	mu    sync.Mutex
	known map[string]weak.Pointer[sized]
}

// NewRegexps returns Regexps that know of none yet.
func NewRegexps() *Regexps { return &Regexps{known: map[string]weak.Pointer[sized]{}} }

// sized is a compiled expression with its size.
type sized struct {
	*regexp.Regexp
	size int
}

// compile returns the compiled form of an expression that is not too large. The mutex is not held while it compiles: two
// callers that come at the same time may both do so.
func (r *Regexps) compile(expression string) (*sized, error) {
	r.mu.Lock()
	found := r.known[expression].Value()
	r.mu.Unlock()
	if found != nil {
		return found, nil
	}
	entry, err := compile(expression)
	if err != nil {
		return nil, err
	}
	runtime.AddCleanup(entry, r.forget, expression)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[expression] = weak.Make(entry)
	return entry, nil
}

// compile compiles an expression that is not too large.
func compile(expression string) (*sized, error) {
	if n := parsing(expression); n > maxSource {
		return nil, fmt.Errorf("%w: it counts as %d bytes, but at most %d are allowed", errTooLarge, n, maxSource)
	}
	parsed, err := syntax.Parse(expression, syntax.Perl)
	if err != nil {
		return nil, err
	}
	// Before it is compiled, which would take the memory.
	size := matchInstruction + instructions(parsed)
	if size > maxSize {
		return nil, fmt.Errorf("%w: it makes a program of %d instructions, but at most %d are allowed", errTooLarge, size, maxSize)
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	return &sized{compiled, size}, nil
}

// errTooLarge says that an expression is.
var errTooLarge = errors.New("the regular expression is too large")

// parsing is what an expression takes to parse, in bytes of an ordinary one. A class such as \pL has hundreds of ranges,
// some 5 KiB. And where case does not count, the parser goes through a range character by character: one that ends
// beyond ASCII takes up to some milliseconds.
func parsing(expression string) int {
	const class, wide = 8, 256
	n := len(expression) + class*(strings.Count(expression, `\p`)+strings.Count(expression, `\P`))
	if !strings.Contains(expression, "(?") {
		return n
	}
	for i := range len(expression) - 1 {
		if expression[i] == '-' && (expression[i+1] >= utf8.RuneSelf || strings.HasPrefix(expression[i+1:], `\x{`)) {
			n += wide
		}
	}
	return n
}

// matchInstruction is how many instructions a program has besides those of its parts: one that fails, one that matches.
const matchInstruction = 2

// runesOfInstruction is how many runes take the memory of an instruction.
const runesOfInstruction = 10

// instructions is how many a part of an expression is compiled to, or a few more. The ranges of a class count as many
// as take their memory.
func instructions(part *syntax.Regexp) int {
	of := 0
	for _, sub := range part.Sub {
		of += instructions(sub)
	}
	switch part.Op {
	case syntax.OpLiteral:
		return len(part.Rune)
	case syntax.OpCharClass:
		return 1 + len(part.Rune)/runesOfInstruction
	case syntax.OpConcat:
		return max(of, 1)
	case syntax.OpAlternate:
		return of + len(part.Sub) - 1
	case syntax.OpPlus, syntax.OpQuest:
		return of + 1
	case syntax.OpStar, syntax.OpCapture:
		return of + 2
	case syntax.OpRepeat:
		if part.Max < 0 {
			return max(part.Min, 1)*of + 2
		}
		// What may be missing takes one more each time.
		return max(part.Max*of+part.Max-part.Min, 1)
	default:
		return 1
	}
}

// forget is called when a compiled expression is gone. Another may have taken its place.
func (r *Regexps) forget(expression string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.known[expression].Value() == nil {
		delete(r.known, expression)
	}
}

// Patterns is a compiled list of regular expressions.
type Patterns struct {
	// Configured is the number of expressions in the spec, also of those that do not compile.
	Configured int
	compiled   []*sized
}

// errTooMuch says that a list has too many expressions, or too large ones.
var errTooMuch = fmt.Errorf("too much with those before it: all expressions of the list may have %d bytes and make programs of %d instructions; "+
	"this one and those after it are left out", maxSources, maxSizes)

// Patterns compiles Go regular expressions (RE2, not anchored). Those that do not compile, or are too large, match
// nothing; each is an error that begins with its place in the spec.
func (r *Regexps) Patterns(field string, expressions []string) (Patterns, []error) {
	patterns := Patterns{Configured: len(expressions)}
	var errs []error
	sources, sizes := 0, 0
	for i, expression := range expressions {
		// What is left out is said once: there may be thousands.
		if sources += min(parsing(expression), maxSource); sources > maxSources {
			return patterns, append(errs, fmt.Errorf("%s[%d]: %w", field, i, errTooMuch))
		}
		compiled, err := r.compile(expression)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", field, i, err))
			continue
		}
		if sizes += compiled.size; sizes > maxSizes {
			return patterns, append(errs, fmt.Errorf("%s[%d]: %w", field, i, errTooMuch))
		}
		patterns.compiled = append(patterns.compiled, compiled)
	}
	return patterns, errs
}

// MatchAny says whether any of the expressions matches somewhere in the first [MaxText] bytes of text.
func (p Patterns) MatchAny(text string) bool {
	text = CutText(text)
	for _, pattern := range p.compiled {
		if pattern.MatchString(text) {
			return true
		}
	}
	return false
}
