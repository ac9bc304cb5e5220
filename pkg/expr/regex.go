package expr

import (
	"fmt"
	"regexp"
)

// Patterns is a compiled list of regular expressions.
type Patterns struct {
	// Configured is the number of expressions in the spec, also of those that do not compile.
	Configured int
	compiled   []*regexp.Regexp
}

// CompilePatterns compiles Go regular expressions (RE2, not anchored). Those that do not compile match nothing; each
// is an error that begins with its place in the spec.
func CompilePatterns(field string, expressions []string) (Patterns, []error) {
	patterns := Patterns{Configured: len(expressions)}
	var errs []error
	for i, expression := range expressions {
		compiled, err := regexp.Compile(expression)
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
