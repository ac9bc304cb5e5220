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
	// interruptEvery is the number of steps of a comprehension, and of regular expressions matched, after which the time
	// limit is looked at.
	interruptEvery = 1
)

// program is a compiled expression, with what errors say of it.
type program struct {
	field      string
	expression string
	ast        *cel.Ast
	prepared   cel.Program
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
		"invalid RFC 3339 timestamp", "error parsing regexp", errTooLarge.Error(), errTooLong.Error(),
	} {
		if strings.Contains(message, known) {
			return known
		}
	}
	return "the expression fails for this event or request"
}
