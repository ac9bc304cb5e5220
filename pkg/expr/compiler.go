package expr

import (
	"fmt"
	"sync"

	"cel.dev/cel-go/cel"
)

// VarEvent is the variable for an event, as its JSON has it.
const VarEvent = "event"

// Compiler compiles the expressions that many objects have over the same variables, all of them objects. What they share
// is made once, with the first of them: it is more than ten times as large as what is kept of one. It is safe for concurrent use.
//
// Every error begins with field, the place of the expression in the spec, and with line and column (both from 1) of the
// mistake.
type Compiler struct {
	env func() (*cel.Env, error)
}

// NewCompiler returns a Compiler for expressions over some variables.
func NewCompiler(variables ...string) *Compiler {
	return &Compiler{env: sync.OnceValues(func() (*cel.Env, error) { return newEnv(variables) })}
}

// Filter compiles an expression whose result is statically a bool.
func (c *Compiler) Filter(field, expression string) (*Filter, error) {
	compiled, err := c.compile(field, expression)
	if err != nil {
		return nil, err
	}
	if is := compiled.ast.OutputType(); !is.IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("%s:1:1: the result is of type %s, but has to be bool; compare it with something", field, is)
	}
	return &Filter{*compiled}, nil
}

// Text compiles an expression whose result is statically a string.
func (c *Compiler) Text(field, expression string) (*Text, error) {
	compiled, err := c.compile(field, expression)
	if err != nil {
		return nil, err
	}
	if is := compiled.ast.OutputType(); !is.IsExactType(cel.StringType) {
		return nil, fmt.Errorf("%s:1:1: the result is of type %s, but has to be string; make it one with string(…)", field, is)
	}
	return &Text{*compiled}, nil
}

// Variable compiles an expression with any result.
func (c *Compiler) Variable(field, expression string) (*Variable, error) {
	compiled, err := c.compile(field, expression)
	if err != nil {
		return nil, err
	}
	return &Variable{*compiled}, nil
}

func (c *Compiler) compile(field, expression string) (*program, error) {
	env, err := c.env()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil, compileError(field, issues)
	}
	matches := &matchBounds{}
	compiled, err := env.Program(ast,
		cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(interruptEvery), cel.CostLimit(costLimit),
		cel.CustomDecoratorV2(matches.decorate))
	if matches.err != nil {
		at := ast.NativeRep().SourceInfo().GetStartLocation(matches.at)
		return nil, fmt.Errorf("%s:%d:%d: %w", field, at.Line(), at.Column()+1, matches.err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return &program{field: field, expression: expression, ast: ast, prepared: compiled}, nil
}
