package expr

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"cel.dev/cel-go/cel"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/ext"
	"cel.dev/cel-go/interpreter"
)

// Names of the variables of expressions.
const (
	// VarResource is the object: apiVersion, kind and metadata.
	VarResource = "res"
	// VarRequest is the JSON object in the request's body.
	VarRequest = "req"
	// VarClaims are the claims of the caller's token.
	VarClaims = "claims"
	// VarVars are the variables of an OIDC provider, by name.
	VarVars = "vars"
)

const (
	// costLimit is what one evaluation may cost, in CEL's own units: as much as Kubernetes allows one expression of an
	// admission rule. It is some 50 ms of work.
	costLimit = 1_000_000
	// timeLimit is for what the cost model does not see.
	timeLimit = time.Second
	// interruptEvery is the number of steps of a comprehension after which the time limit is looked at.
	interruptEvery = 100
)

// Filter is a compiled CEL expression that is true or false. It is safe for concurrent use.
type Filter struct{ program }

// CompileFilter compiles an expression whose result is statically a bool. Every error begins with field, the place of
// the expression in the spec, and with line and column (both from 1) of the mistake. The claims are declared only
// where callers have them.
func CompileFilter(field, expression string, withClaims bool) (*Filter, error) {
	variables := []string{VarResource, VarRequest}
	if withClaims {
		variables = append(variables, VarClaims)
	}
	return compileBool(field, expression, variables)
}

func compileBool(field, expression string, variables []string) (*Filter, error) {
	env, err := newEnv(variables)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return compileBoolIn(env, field, expression)
}

func compileBoolIn(env *cel.Env, field, expression string) (*Filter, error) {
	compiled, err := compileIn(env, field, expression)
	if err != nil {
		return nil, err
	}
	if !compiled.ast.OutputType().IsExactType(cel.BoolType) {
		return nil, fmt.Errorf("%s:1:1: the result is of type %s, but has to be bool; compare it with something",
			field, compiled.ast.OutputType())
	}
	return &Filter{*compiled}, nil
}

// Eval says whether the expression is true of the variables. Evaluation stops at a cost and a time limit, and when
// ctx ends. The error begins as those of CompileFilter; of the variables it quotes nothing, since they are a
// stranger's request.
func (f *Filter) Eval(ctx context.Context, vars map[string]any) (bool, error) {
	out, err := f.eval(ctx, vars)
	if err != nil {
		return false, err
	}
	result, ok := out.Value().(bool)
	if !ok {
		return false, fmt.Errorf("%s: the result is a %s, not a bool", f.field, out.Type())
	}
	return result, nil
}

// program is a compiled expression, with what errors say of it.
type program struct {
	field      string
	expression string
	ast        *cel.Ast
	prepared   cel.Program
}

// compile compiles an expression over variables that are all objects.
func compile(field, expression string, variables []string) (*program, error) {
	env, err := newEnv(variables)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return compileIn(env, field, expression)
}

func compileIn(env *cel.Env, field, expression string) (*program, error) {
	ast, issues := env.Compile(expression)
	if issues.Err() != nil {
		return nil, compileError(field, issues)
	}
	compiled, err := env.Program(ast,
		cel.EvalOptions(cel.OptOptimize), cel.InterruptCheckFrequency(interruptEvery), cel.CostLimit(costLimit))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return &program{field: field, expression: expression, ast: ast, prepared: compiled}, nil
}

// newEnv is the language of all expressions: what Flux v1.9 enables, and not more.
func newEnv(variables []string) (*cel.Env, error) {
	options := []cel.EnvOption{
		cel.HomogeneousAggregateLiterals(),
		cel.EagerlyValidateDeclarations(true),
		cel.DefaultUTCTimeZone(true),
		cel.CrossTypeNumericComparisons(true),
		cel.OptionalTypes(),
		ext.Strings(),
		ext.Sets(),
		// Later versions add more than base64.
		ext.Encoders(ext.EncodersVersion(0)),
	}
	for _, name := range variables {
		options = append(options, cel.Variable(name, cel.MapType(cel.StringType, cel.DynType)))
	}
	env, err := cel.NewEnv(options...)
	if err != nil {
		return nil, fmt.Errorf("set CEL up: %w", err)
	}
	return env, nil
}

// compileError puts each issue on a line of its own: "field:line:column: message".
func compileError(field string, issues *cel.Issues) error {
	errs := make([]error, 0, len(issues.Errors()))
	for _, issue := range issues.Errors() {
		// CEL counts columns from 0, and says -1 where there is nothing at all.
		column := max(issue.Location.Column(), 0) + 1
		errs = append(errs, fmt.Errorf("%s:%d:%d: %s", field, issue.Location.Line(), column, issue.Message))
	}
	return errors.Join(errs...)
}

// eval evaluates the expression within the limits.
func (p *program) eval(ctx context.Context, vars map[string]any) (ref.Val, error) {
	ctx, cancel := context.WithTimeout(ctx, timeLimit)
	defer cancel()
	out, _, err := p.prepared.ContextEval(ctx, vars)
	if err != nil {
		return nil, p.evalError(err)
	}
	return out, nil
}

func (p *program) evalError(err error) error {
	var cancelled interpreter.EvalCancelledError
	var located *types.Err
	switch {
	case errors.As(err, &cancelled) && cancelled.Cause == interpreter.CostLimitExceeded:
		return fmt.Errorf("%s: the expression takes too many steps for this event or request", p.field)
	case errors.Is(err, interpreter.InterruptError{}):
		return fmt.Errorf("%s: the expression takes too long for this event or request", p.field)
	case errors.As(err, &located) && located.NodeID() != 0:
		at := p.ast.NativeRep().SourceInfo().GetStartLocation(located.NodeID())
		return fmt.Errorf("%s:%d:%d: %s", p.field, at.Line(), at.Column()+1, p.describe(err.Error()))
	default:
		return fmt.Errorf("%s: %s", p.field, p.describe(err.Error()))
	}
}

// noSuchKey begins the message about a missing key, which ends with the key.
const noSuchKey = "no such key: "

// describe returns what of a message of CEL is certain not to quote a value: messages have no types to go by.
func (p *program) describe(message string) string {
	if key, ok := strings.CutPrefix(message, noSuchKey); ok && strings.Contains(p.expression, key) {
		return noSuchKey + key
	}
	for _, known := range []string{
		"no such key", "no such overload", "index out of bounds", "index out of range", "division by zero",
		"modulus by zero", "overflow", "type conversion error", "optional.none() dereference",
		"invalid RFC 3339 timestamp", "error parsing regexp",
	} {
		if strings.Contains(message, known) {
			return known
		}
	}
	return "the expression fails for this event or request"
}
