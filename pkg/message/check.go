package message

import (
	"fmt"
	"strconv"
	"strings"
	"text/template/parse"

	"github.com/notification-controller/notification-controller/pkg/event"
)

// checker walks a parsed template. What it does not know is not possible in a template.
type checker struct {
	tree      *parse.Tree
	functions map[string]function
	// used are those of the functions that the template calls.
	used map[string]function
	// root says that the dot is the event.
	root    bool
	inRange bool
}

// check says what in a template is not possible in a message, and returns the functions that it calls.
func check(tree *parse.Tree) (map[string]function, error) {
	c := checker{tree: tree, functions: functions(), used: map[string]function{}, root: true}
	return c.used, c.list(tree.Root)
}

func (c checker) node(n parse.Node) error {
	switch n := n.(type) {
	case *parse.ListNode:
		return c.list(n)
	case *parse.ActionNode:
		return c.pipe(n.Pipe)
	case *parse.PipeNode:
		return c.pipe(n)
	case *parse.IfNode:
		return c.branch(n.BranchNode, c)
	case *parse.WithNode:
		body := c
		body.root = false
		return c.branch(n.BranchNode, body)
	case *parse.RangeNode:
		return c.loop(n)
	case *parse.FieldNode:
		if c.root && !isField(n.Ident) {
			return c.errorf(n, "there is no .%s", strings.Join(n.Ident, "."))
		}
		return nil
	case *parse.VariableNode:
		if n.Ident[0] == "$" && !isField(n.Ident[1:]) {
			return c.errorf(n, "there is no %s", strings.Join(n.Ident, "."))
		}
		return nil
	case *parse.IdentifierNode:
		f, ok := c.functions[n.Ident]
		if !ok {
			names := strings.Join(event.SortedKeys(c.functions), ", ")
			return c.errorf(n, "%s is not possible in a message; the functions are %s", n.Ident, names)
		}
		c.used[n.Ident] = f
		return nil
	case *parse.NumberNode:
		if _, err := strconv.Atoi(n.Text); err != nil {
			return c.errorf(n, "is not possible in a message; numbers are whole and decimal")
		}
		return nil
	case *parse.TextNode, *parse.DotNode, *parse.NilNode, *parse.BoolNode, *parse.StringNode, *parse.BreakNode, *parse.ContinueNode:
		return nil
	default:
		return c.errorf(n, "is not possible in a message")
	}
}

func (c checker) list(l *parse.ListNode) error {
	if l == nil {
		return nil
	}
	for _, n := range l.Nodes {
		if err := c.node(n); err != nil {
			return err
		}
	}
	return nil
}

func (c checker) pipe(p *parse.PipeNode) error {
	for _, command := range p.Cmds {
		for _, argument := range command.Args {
			if err := c.node(argument); err != nil {
				return err
			}
		}
	}
	return nil
}

// branch checks what if, with and range have in common. Only in the body of the latter two the dot is another one.
func (c checker) branch(b parse.BranchNode, body checker) error {
	if err := c.pipe(b.Pipe); err != nil {
		return err
	}
	if err := body.list(b.List); err != nil {
		return err
	}
	return c.list(b.ElseList)
}

// loop lets a range be over the metadata only, not over a number, and once: a few ranges in each other would already
// take for ever.
func (c checker) loop(r *parse.RangeNode) error {
	if c.inRange {
		return c.errorf(r, "a range in a range is not possible in a message")
	}
	over := r.Pipe.Cmds[len(r.Pipe.Cmds)-1].String()
	if metadata := over == "$.Metadata" || over == ".Metadata" && c.root; !metadata || len(r.Pipe.Cmds) > 1 {
		return c.errorf(r, "a range is possible over .Metadata and $.Metadata only")
	}
	body := c
	body.root, body.inRange = false, true
	return c.branch(r.BranchNode, body)
}

func (c checker) errorf(n parse.Node, format string, args ...any) error {
	return errorAt(c.tree, n, format, args...)
}

// errorAt begins with the place of a node.
func errorAt(tree *parse.Tree, n parse.Node, format string, args ...any) error {
	location, context := tree.ErrorContext(n)
	return fmt.Errorf("%s: <%s>: %w", location, context, fmt.Errorf(format, args...))
}

// isField says whether an event has a field, or an entry of metadata may have the name.
func isField(path []string) bool {
	var v value = Data{}
	for _, name := range path {
		var ok bool
		if v, ok = field(v, name); !ok {
			return false
		}
	}
	return true
}
