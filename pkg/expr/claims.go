package expr

import "context"

// Variable is a compiled CEL expression with any result. It is safe for concurrent use.
type Variable struct{ program }

// CompileVariable compiles an expression over the claims of a token and over the variables before it. Errors are as
// those of [CompileFilter].
func CompileVariable(field, expression string) (*Variable, error) {
	compiled, err := compile(field, expression, []string{VarClaims, VarVars})
	if err != nil {
		return nil, err
	}
	return &Variable{*compiled}, nil
}

// Eval returns the value, for other expressions to use. Limits and errors are those of [Filter.Eval].
func (v *Variable) Eval(ctx context.Context, vars map[string]any) (any, error) {
	return v.eval(ctx, vars)
}

// CompileValidation compiles an expression over the claims of a token and over its variables, whose result is statically
// a bool. Errors are as those of [CompileFilter].
func CompileValidation(field, expression string) (*Filter, error) {
	return compileBool(field, expression, []string{VarClaims, VarVars})
}
