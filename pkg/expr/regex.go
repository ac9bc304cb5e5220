package expr

import (
	"fmt"
	"regexp"
	"runtime"
	"sync"
	"weak"
)

// Regexps compiles regular expressions, each once however many objects have it: thousands of Alerts often share a few,
// and a compiled one takes kilobytes. It forgets those that nobody uses any more. It is safe for concurrent use.
type Regexps struct {
	mu    sync.Mutex
	known map[string]weak.Pointer[regexp.Regexp]
}

// NewRegexps returns Regexps that know of none yet.
func NewRegexps() *Regexps { return &Regexps{known: map[string]weak.Pointer[regexp.Regexp]{}} }

// compile returns the compiled form of an expression. The mutex is not held while it compiles: two callers that come
// at the same time may both do so.
func (r *Regexps) compile(expression string) (*regexp.Regexp, error) {
	r.mu.Lock()
	found := r.known[expression].Value()
	r.mu.Unlock()
	if found != nil {
		return found, nil
	}
	compiled, err := regexp.Compile(expression)
	if err != nil {
		return nil, err
	}
	runtime.AddCleanup(compiled, r.forget, expression)
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known[expression] = weak.Make(compiled)
	return compiled, nil
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
	compiled   []*regexp.Regexp
}

// Patterns compiles Go regular expressions (RE2, not anchored). Those that do not compile match nothing; each is an
// error that begins with its place in the spec.
func (r *Regexps) Patterns(field string, expressions []string) (Patterns, []error) {
	patterns := Patterns{Configured: len(expressions)}
	var errs []error
	for i, expression := range expressions {
		compiled, err := r.compile(expression)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s[%d]: %w", field, i, err))
			continue
		}
		patterns.compiled = append(patterns.compiled, compiled)
	}
	return patterns, errs
}

// MatchAny says whether any of the expressions matches somewhere in text.
func (p Patterns) MatchAny(text string) bool {
	for _, pattern := range p.compiled {
		if pattern.MatchString(text) {
			return true
		}
	}
	return false
}
