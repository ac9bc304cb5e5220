package message

import (
	"errors"
	"slices"
	"text/template/parse"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// text/template is not used for executions: it calls methods by name, for which the linker would keep every exported
// method of the program. What is possible in a message means here what it means there.

// value is what a template computes with: string, bool, int, map[string]string, Object, Data or nil.
type value = any

// execution is the state of one execution. The dot is passed on instead.
type execution struct {
	*Template
	budget    budget
	out       output
	variables []variable
}

// variable is one that can be seen, the one declared last at the end.
type variable struct {
	name  string
	value value
}

// These end the body of a range, and do not leave it.
var (
	errBreak    = errors.New("break")
	errContinue = errors.New("continue")
)

func (e *execution) list(dot value, l *parse.ListNode) error {
	if l == nil {
		return nil
	}
	for _, n := range l.Nodes {
		if err := e.node(dot, n); err != nil {
			return err
		}
	}
	return nil
}

func (e *execution) node(dot value, n parse.Node) error {
	switch n := n.(type) {
	case *parse.TextNode:
		_, err := e.out.Write(n.Text)
		return err
	case *parse.ActionNode:
		v, err := e.pipe(dot, n.Pipe)
		if err != nil || len(n.Pipe.Decl) > 0 {
			return err
		}
		return e.out.print(v)
	case *parse.IfNode:
		return e.branch(dot, &n.BranchNode)
	case *parse.WithNode:
		return e.branch(dot, &n.BranchNode)
	case *parse.RangeNode:
		return e.loop(dot, n)
	case *parse.BreakNode:
		return errBreak
	case *parse.ContinueNode:
		return errContinue
	default:
		return errorAt(e.tree, n, "is not possible in a message")
	}
}

// branch executes if and with.
func (e *execution) branch(dot value, b *parse.BranchNode) error {
	defer e.leave(len(e.variables))
	v, err := e.pipe(dot, b.Pipe)
	if err != nil {
		return err
	}
	if !truth(v) {
		return e.list(dot, b.ElseList)
	}
	if b.NodeType == parse.NodeWith {
		dot = v
	}
	return e.list(dot, b.List)
}

func (e *execution) loop(dot value, r *parse.RangeNode) error {
	defer e.leave(len(e.variables))
	v, err := e.pipe(dot, r.Pipe)
	if err != nil {
		return err
	}
	entries, ok := v.(map[string]string)
	if !ok && v != nil {
		return errorAt(e.tree, r, "range can't iterate over %T", v)
	}
	if len(entries) == 0 {
		return e.list(dot, r.ElseList)
	}
	scope := len(e.variables)
	for _, key := range event.SortedKeys(entries) {
		if err := e.next(r.Pipe, key, entries[key]); err != nil {
			return err
		}
		err := e.list(entries[key], r.List)
		e.leave(scope)
		if errors.Is(err, errBreak) {
			return nil
		}
		if err != nil && !errors.Is(err, errContinue) {
			return err
		}
	}
	return nil
}

// next sets the variables of a range. One alone is the value.
func (e *execution) next(p *parse.PipeNode, key, v string) error {
	values := []value{key, v}
	for i, declared := range p.Decl {
		// The pipeline has declared those that are not assigned to.
		if err := e.assign(declared, values[len(values)-len(p.Decl)+i]); err != nil {
			return err
		}
	}
	return nil
}

// pipe returns the value of the last command.
func (e *execution) pipe(dot value, p *parse.PipeNode) (value, error) {
	v, err := e.command(dot, p.Cmds[0])
	for _, command := range p.Cmds[1:] {
		if err != nil {
			return nil, err
		}
		v, err = e.command(dot, command, v)
	}
	if err != nil {
		return nil, err
	}
	for _, declared := range p.Decl {
		if !p.IsAssign {
			e.variables = append(e.variables, variable{declared.Ident[0], v})
		} else if err := e.assign(declared, v); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// command evaluates a command. Last is the value of the one before it in the pipeline, if any.
func (e *execution) command(dot value, c *parse.CommandNode, last ...value) (value, error) {
	first := c.Args[0]
	if name, ok := first.(*parse.IdentifierNode); ok {
		return e.call(dot, name, c, c.Args[1:], last...)
	}
	if len(c.Args)+len(last) > 1 {
		return nil, errorAt(e.tree, first, "can't give argument to non-function %s", first)
	}
	if first.Type() == parse.NodeNil {
		return nil, errorAt(e.tree, first, "nil is not a command")
	}
	return e.operand(dot, first)
}

func (e *execution) operand(dot value, n parse.Node) (value, error) {
	switch n := n.(type) {
	case *parse.StringNode:
		return n.Text, nil
	case *parse.NumberNode:
		return int(n.Int64), nil
	case *parse.BoolNode:
		return n.True, nil
	case *parse.NilNode:
		return nil, nil
	case *parse.DotNode:
		return dot, nil
	case *parse.FieldNode:
		return e.fields(n, dot, n.Ident)
	case *parse.VariableNode:
		declared, err := e.variable(n)
		if err != nil {
			return nil, err
		}
		return e.fields(n, declared.value, n.Ident[1:])
	case *parse.PipeNode:
		return e.pipe(dot, n)
	case *parse.IdentifierNode:
		return e.call(dot, n, n, nil)
	default:
		return nil, errorAt(e.tree, n, "is not possible in a message")
	}
}

// call calls a function. The call is told in its error.
func (e *execution) call(dot value, name *parse.IdentifierNode, call parse.Node, operands []parse.Node, last ...value) (value, error) {
	f := e.functions[name.Ident]
	given := len(operands) + len(last)
	if given < len(f.parameters) || given > len(f.parameters) && !f.more {
		return nil, errorAt(e.tree, name, "wrong number of args for %s: want %s got %d", name.Ident, f.arity(), given)
	}
	if name.Ident == "and" || name.Ident == "or" {
		return e.firstThat(name.Ident == "or", dot, operands, last...)
	}
	arguments := make([]value, 0, given)
	for _, n := range operands {
		v, err := e.operand(dot, n)
		if err != nil {
			return nil, err
		}
		if err := f.accepts(len(arguments), v); err != nil {
			return nil, errorAt(e.tree, n, "%w", err)
		}
		arguments = append(arguments, v)
	}
	for _, v := range last {
		if err := f.accepts(len(arguments), v); err != nil {
			return nil, errorAt(e.tree, name, "%w", err)
		}
		arguments = append(arguments, v)
	}
	v, err := f.call(&e.budget, arguments)
	if err != nil {
		return nil, errorAt(e.tree, call, "error calling %s: %w", name.Ident, err)
	}
	return v, nil
}

// firstThat is the first argument of this truth, or the last argument. Those after it are not evaluated.
func (e *execution) firstThat(is bool, dot value, operands []parse.Node, last ...value) (value, error) {
	var v value
	for _, n := range operands {
		var err error
		if v, err = e.operand(dot, n); err != nil || truth(v) == is {
			return v, err
		}
	}
	if len(last) > 0 {
		v = last[0]
	}
	return v, nil
}

// variable is the variable declared last by a name. The parser does not find all that there are not.
func (e *execution) variable(n *parse.VariableNode) (*variable, error) {
	for i := range slices.Backward(e.variables) {
		if e.variables[i].name == n.Ident[0] {
			return &e.variables[i], nil
		}
	}
	return nil, errorAt(e.tree, n, "undefined variable: %s", n.Ident[0])
}

func (e *execution) assign(n *parse.VariableNode, v value) error {
	declared, err := e.variable(n)
	if err == nil {
		declared.value = v
	}
	return err
}

// leave forgets the variables of a scope but for those that were there before it.
func (e *execution) leave(before int) { e.variables = e.variables[:before] }

// fields follows a path.
func (e *execution) fields(n parse.Node, v value, path []string) (value, error) {
	for _, name := range path {
		inner, ok := field(v, name)
		if !ok {
			return nil, errorAt(e.tree, n, "can't evaluate field %s in type %T", name, v)
		}
		v = inner
	}
	return v, nil
}
