package expr

import (
	"context"
	"fmt"
)

// Filter is a compiled CEL expression that is true or false. It is safe for concurrent use.
type Filter struct{ program }

// Eval says whether the expression is true of the variables. Evaluation stops at a cost and a time limit, and when
// ctx ends. The error begins as those of [Compiler]; of the variables it quotes nothing, since they are a stranger's
// request.
func (f *Filter) Eval(ctx context.Context, vars map[string]any) (bool, error) {
	return evalTo[bool](ctx, &f.program, vars)
}

// Text is a compiled CEL expression with a text for a result. It is safe for concurrent use.
type Text struct{ program }

// Eval returns the text. Limits and errors are those of [Filter.Eval].
func (t *Text) Eval(ctx context.Context, vars map[string]any) (string, error) {
	return evalTo[string](ctx, &t.program, vars)
}

// Variable is a compiled CEL expression with any result. It is safe for concurrent use.
type Variable struct{ program }

// Eval returns the value, for other expressions to use. Limits and errors are those of [Filter.Eval].
func (v *Variable) Eval(ctx context.Context, vars map[string]any) (any, error) {
	return v.eval(ctx, vars)
}

func evalTo[T any](ctx context.Context, p *program, vars map[string]any) (T, error) {
	var none T
	out, err := p.eval(ctx, vars)
	if err != nil {
		return none, err
	}
	result, ok := out.Value().(T)
	if !ok {
		return none, fmt.Errorf("%s: the result is a %s, not a %T", p.field, out.Type(), none)
	}
	return result, nil
}
