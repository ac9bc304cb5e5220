package expr

import (
	"errors"

	"cel.dev/cel-go/common/overloads"
	"cel.dev/cel-go/common/types"
	"cel.dev/cel-go/common/types/ref"
	"cel.dev/cel-go/interpreter"
)

// maxWork is how long a text may be for a regular expression of some size, in bytes times instructions. CEL's own cost for
// a match is the length of the text times that of the pattern, and its limit comes to the same: but a pattern of ten
// characters may make a program of thousands of instructions. It is less than a second of work.
const maxWork = 40_000_000

// errTooLong says that a text is.
var errTooLong = errors.New("the text is too long for the regular expression")

// matchBounds bounds what the function matches takes, of one expression. CEL's own option, RegexProgramSizeLimit, first
// compiles what it then refuses, for some 100 MiB.
type matchBounds struct {
	// err is why a pattern in the expression cannot be used, at the node with this id.
	err error
	at  int64
}

// decorate replaces calls of matches. Patterns that are constants are compiled once.
func (b *matchBounds) decorate(i interpreter.InterpretableV2) (interpreter.InterpretableV2, error) {
	call, ok := i.(interpreter.InterpretableCall)
	if !ok || call.Function() != overloads.Matches || len(call.Args()) != 2 {
		return i, nil
	}
	compiled := compile
	if constant, ok := call.Args()[1].(interpreter.InterpretableConst); ok {
		if pattern, ok := constant.Value().(types.String); ok {
			once, err := compile(string(pattern))
			if err != nil {
				b.err, b.at = err, constant.ID()
				return nil, err
			}
			compiled = func(string) (*sized, error) { return once, nil }
		}
	}
	return match{interpreter.NewCall(call.ID(), call.Function(), call.OverloadID(), call.Args(), func(args ...ref.Val) ref.Val {
		return matches(compiled, args)
	})}, nil
}

func matches(compiled func(string) (*sized, error), args []ref.Val) ref.Val {
	text, ok := args[0].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[0])
	}
	pattern, ok := args[1].(types.String)
	if !ok {
		return types.MaybeNoSuchOverloadErr(args[1])
	}
	expression, err := compiled(string(pattern))
	switch {
	case err != nil:
		return types.WrapErr(err)
	case len(text)*expression.instructions > maxWork:
		return types.WrapErr(errTooLong)
	default:
		return types.Bool(expression.MatchString(string(text)))
	}
}

// match is a call of matches. It is no [interpreter.InterpretableCall], since what optimizes those would replace it.
type match struct{ call interpreter.InterpretableCall }

// ID implements [interpreter.Interpretable].
func (m match) ID() int64 { return m.call.ID() }

// Eval implements [interpreter.Interpretable].
func (m match) Eval(vars interpreter.Activation) ref.Val { return m.call.Eval(vars) }

// Exec implements [interpreter.InterpretableV2]. No match begins when the time is over, whether or not it is in a
// comprehension.
func (m match) Exec(frame *interpreter.ExecutionFrame) ref.Val {
	if frame.CheckInterrupt() {
		return types.WrapErr(interpreter.InterruptError{})
	}
	return m.call.Exec(frame)
}
