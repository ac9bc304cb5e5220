package expr

import (
	"fmt"
	"sync"

	"cel.dev/cel-go/cel"
)

// VarEvent is the variable for an event, as its JSON has it.
const VarEvent = "event"

// Conditions compiles expressions that many objects have over the same variables, all of them objects. What they share
// is made once and kept once. It is safe for concurrent use.
type Conditions struct {
	env func() (*cel.Env, error)
}

// NewConditions returns Conditions over some variables.
func NewConditions(variables ...string) *Conditions {
	return &Conditions{env: sync.OnceValues(func() (*cel.Env, error) { return newEnv(variables) })}
}

// Compile compiles an expression whose result is statically a bool. Errors are as those of [CompileFilter].
func (c *Conditions) Compile(field, expression string) (*Filter, error) {
	env, err := c.env()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", field, err)
	}
	return compileBoolIn(env, field, expression)
}
