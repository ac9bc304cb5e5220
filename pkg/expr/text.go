package expr

import (
	"context"
	"fmt"

	"cel.dev/cel-go/cel"
)

// Text is a compiled CEL expression with a text for a result. It is safe for concurrent use.
type Text struct{ program }

// CompileText compiles an expression over some variables, all of them objects, whose result is statically a string.
// Errors are as those of [CompileFilter].
func CompileText(field, expression string, variables ...string) (*Text, error) {
	compiled, err := compile(field, expression, variables)
	if err != nil {
		return nil, err
	}
	if !compiled.ast.OutputType().IsExactType(cel.StringType) {
		return nil, fmt.Errorf("%s:1:1: the result is of type %s, but has to be string; make it one with string(…)",
			field, compiled.ast.OutputType())
	}
	return &Text{*compiled}, nil
}

// Eval returns the text. Limits and errors are those of [Filter.Eval].
func (t *Text) Eval(ctx context.Context, vars map[string]any) (string, error) {
	out, err := t.eval(ctx, vars)
	if err != nil {
		return "", err
	}
	result, ok := out.Value().(string)
	if !ok {
		return "", fmt.Errorf("%s: the result is a %s, not a string", t.field, out.Type())
	}
	return result, nil
}
