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
	// maxInstructions is how many an expression may be compiled to: enough for .{1,1000}, beyond which Go counts no
	// repetitions. A match takes up to 20 ns for each byte of text and instruction, so that one with this many takes some 2 s
	// for a text of MaxText at worst, and mostly a thousandth of that.
	maxInstructions = 2100
	// maxInstructionsOfList is the same for all expressions of a list: some two hundred sentences.
	maxInstructionsOfList = 10_000
	// maxRunes is how many bounds of ranges the classes of an expression may have, each counted as often as it is repeated:
	// where no input can be read in two ways, such as that of ^\pL{1,20}$, each repetition has a copy. They take some 1.4 MB.
	maxRunes = 100_000
	// maxRunesOfList is the same for all expressions of a list.
	maxRunesOfList = 200_000
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
	size
}

// size is what an expression, or a part of it, is compiled to, or a little more.
type size struct {
	instructions int
	// runes are the bounds of the ranges of its classes.
	runes int
}

func (s size) plus(other size) size {
	return size{s.instructions + other.instructions, s.runes + other.runes}
}

func (s size) times(n int) size { return size{s.instructions * n, s.runes * n} }

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
	size := sizeOf(parsed).plus(size{instructions: matchInstruction})
	if size.instructions > maxInstructions {
		return nil, fmt.Errorf("%w: it makes a program of %d instructions, but at most %d are allowed", errTooLarge, size.instructions, maxInstructions)
	}
	if size.runes > maxRunes {
		return nil, fmt.Errorf("%w: its classes have %d bounds of ranges with all repetitions, but at most %d are allowed", errTooLarge, size.runes, maxRunes)
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

// sizeOf is what a part of an expression is compiled to.
func sizeOf(part *syntax.Regexp) size {
	var of size
	for _, sub := range part.Sub {
		of = of.plus(sizeOf(sub))
	}
	more := func(instructions int) size { return of.plus(size{instructions: instructions}) }
	switch part.Op {
	case syntax.OpLiteral:
		return size{instructions: len(part.Rune)}
	case syntax.OpCharClass:
		return size{instructions: 1, runes: len(part.Rune)}
	case syntax.OpConcat:
		of.instructions = max(of.instructions, 1)
		return of
	case syntax.OpAlternate:
		return more(len(part.Sub) - 1)
	case syntax.OpPlus, syntax.OpQuest:
		return more(1)
	case syntax.OpStar, syntax.OpCapture:
		return more(2)
	case syntax.OpRepeat:
		if part.Max < 0 {
			return of.times(max(part.Min, 1)).plus(size{instructions: 2})
		}
		// What may be missing takes one more each time.
		of = of.times(part.Max).plus(size{instructions: part.Max - part.Min})
		of.instructions = max(of.instructions, 1)
		return of
	default:
		return size{instructions: 1}
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
var errTooMuch = fmt.Errorf("too much with those before it: all expressions of the list may have %d bytes and make programs of %d instructions, with classes of %d bounds; "+
	"this one and those after it are left out", maxSources, maxInstructionsOfList, maxRunesOfList)

// Patterns compiles Go regular expressions (RE2, not anchored). Those that do not compile, or are too large, match
// nothing; each is an error that begins with its place in the spec.
func (r *Regexps) Patterns(field string, expressions []string) (Patterns, []error) {
	patterns := Patterns{Configured: len(expressions)}
	var errs []error
	sources, all := 0, size{}
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
		if all = all.plus(compiled.size); all.instructions > maxInstructionsOfList || all.runes > maxRunesOfList {
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
