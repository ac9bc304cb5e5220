package genericoidc

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/source"
)

const (
	// defaultAudience is what a token has to be for if the Receiver does not say.
	defaultAudience = "notification-controller"
	// evalLimit is how long all expressions may take for one call.
	evalLimit = 2 * time.Second
)

// rules are what a Receiver wants of the tokens of one issuer.
type rules struct {
	audience    string
	variables   []variable
	validations []validation
}

type variable struct {
	name       string
	expression *expr.Variable
}

type validation struct {
	expression *expr.Filter
	message    string
}

// compile compiles spec.oidcProviders[i].
func compile(claims *expr.Compiler, i int, p *v1.OIDCProvider) (*rules, error) {
	compiled := &rules{audience: cmp.Or(p.Audience, defaultAudience)}
	var errs []error
	for j, v := range p.Variables {
		expression, err := claims.Variable(fmt.Sprintf("spec.oidcProviders[%d].variables[%d].expression", i, j), v.Expression)
		errs = append(errs, err)
		compiled.variables = append(compiled.variables, variable{v.Name, expression})
	}
	for j, v := range p.Validations {
		expression, err := claims.Filter(fmt.Sprintf("spec.oidcProviders[%d].validations[%d].expression", i, j), v.Expression)
		errs = append(errs, err)
		compiled.validations = append(compiled.validations, validation{expression, v.Message})
	}
	return compiled, errors.Join(errs...)
}

// check returns nil if all validations are true of the claims. The messages of those that are not are for the caller.
func (r *rules) check(ctx context.Context, claims map[string]any) error {
	ctx, cancel := context.WithTimeout(ctx, evalLimit)
	defer cancel()
	values := map[string]any{}
	vars := map[string]any{expr.VarClaims: claims, expr.VarVars: values}
	for _, v := range r.variables {
		value, err := v.expression.Eval(ctx, vars)
		if err != nil {
			return source.Unauthenticated("%v", err)
		}
		values[v.name] = value
	}
	var messages []string
	for _, v := range r.validations {
		ok, err := v.expression.Eval(ctx, vars)
		if err != nil {
			return source.Unauthenticated("%v", err)
		}
		if !ok {
			messages = append(messages, v.message)
		}
	}
	if len(messages) == 0 {
		return nil
	}
	answer := strings.Join(messages, "; ")
	return &source.AuthError{Why: "validation failed: " + answer, Answer: answer}
}
