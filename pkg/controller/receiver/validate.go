package receiver

import (
	"fmt"
	"strings"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
	"github.com/notification-controller/notification-controller/pkg/expr"
	"github.com/notification-controller/notification-controller/pkg/source"
)

// Validation checks specs. The API server checks most of it too, but not for objects written through an older version
// of the API.
type Validation struct {
	// Supported says whether there is a verifier for a type.
	Supported func(receiverType string) bool
	// CompileFilter compiles the filter in a field.
	CompileFilter func(field, expression string, withClaims bool) error
	// CompileVariable and CompileValidation compile what is in a field of an OIDC provider.
	CompileVariable, CompileValidation func(field, expression string) error
}

// NewValidation returns a Validation with the compilers that calls are filtered with, for the types that there are.
func NewValidation(types func(name string) (source.Type, bool)) Validation {
	compiler := expr.NewReceiverCompiler()
	return Validation{
		Supported: func(receiverType string) bool {
			_, ok := types(receiverType)
			return ok
		},
		CompileFilter: func(field, expression string, withClaims bool) error {
			_, err := compiler.Filters(withClaims).Filter(field, expression)
			return err
		},
		CompileVariable: func(field, expression string) error {
			_, err := compiler.Claims().Variable(field, expression)
			return err
		},
		CompileValidation: func(field, expression string) error {
			_, err := compiler.Claims().Filter(field, expression)
			return err
		},
	}
}

// Check returns the first thing that is wrong with a spec, or nil. Filters come before the other fields, and what is said
// of claims after them, as in Flux.
func (v Validation) Check(r *v1.Receiver) *Problem {
	if err := v.filters(r); err != nil {
		return &Problem{notification.ReasonInvalidCELExpression, err.Error()}
	}
	if err := v.fields(r); err != nil {
		return &Problem{notification.ReasonValidationFailed, err.Error()}
	}
	if err := v.claims(r); err != nil {
		return &Problem{notification.ReasonInvalidCELExpression, err.Error()}
	}
	return nil
}

func (v Validation) filters(r *v1.Receiver) error {
	withClaims := r.Spec.Type == v1.GenericOIDCReceiver
	if r.Spec.ResourceFilter != "" {
		if err := v.CompileFilter("spec.resourceFilter", r.Spec.ResourceFilter, withClaims); err != nil {
			return err
		}
	}
	for i, resource := range r.Spec.Resources {
		if resource.Filter == "" {
			continue
		}
		if err := v.CompileFilter(fmt.Sprintf("spec.resources[%d].filter", i), resource.Filter, withClaims); err != nil {
			return fmt.Errorf("%w (for %s '%s')", err, resource.Kind, resource.Name)
		}
	}
	return nil
}

func (v Validation) fields(r *v1.Receiver) error {
	oidc := r.Spec.Type == v1.GenericOIDCReceiver
	switch {
	case oidc && len(r.Spec.OIDCProviders) == 0:
		return fmt.Errorf("spec.oidcProviders: type %s needs at least one", r.Spec.Type)
	case !oidc && len(r.Spec.OIDCProviders) > 0:
		return fmt.Errorf("spec.oidcProviders: only for type %s", v1.GenericOIDCReceiver)
	case oidc && r.Spec.SecretRef != nil:
		return fmt.Errorf("spec.secretRef: not for type %s", r.Spec.Type)
	case !oidc && r.Spec.SecretRef == nil:
		return fmt.Errorf("spec.secretRef: type %s needs it", r.Spec.Type)
	}
	if err := oidcProviders(r.Spec.OIDCProviders); err != nil {
		return err
	}
	if !v.Supported(r.Spec.Type) {
		return fmt.Errorf("spec.type: %q is not supported by this version of notification-controller", r.Spec.Type)
	}
	return nil
}

func oidcProviders(providers []v1.OIDCProvider) error {
	seen := map[string]bool{}
	for i, p := range providers {
		field := fmt.Sprintf("spec.oidcProviders[%d]", i)
		switch {
		case !strings.HasPrefix(p.IssuerURL, "http://") && !strings.HasPrefix(p.IssuerURL, "https://"):
			return fmt.Errorf("%s.issuerURL: %q does not start with http:// or https://", field, p.IssuerURL)
		case seen[p.IssuerURL]:
			return fmt.Errorf("%s.issuerURL: %q is there twice", field, p.IssuerURL)
		case len(p.Validations) == 0:
			return fmt.Errorf("%s.validations: %q needs at least one", field, p.IssuerURL)
		}
		seen[p.IssuerURL] = true
		for j, variable := range p.Variables {
			if variable.Name == "" || variable.Expression == "" {
				return fmt.Errorf("%s.variables[%d]: %q: name and expression must not be empty", field, j, p.IssuerURL)
			}
		}
		for j, validation := range p.Validations {
			if validation.Expression == "" || validation.Message == "" {
				return fmt.Errorf("%s.validations[%d]: %q: expression and message must not be empty", field, j, p.IssuerURL)
			}
		}
	}
	return nil
}

// claims compiles what is said of the claims of tokens.
func (v Validation) claims(r *v1.Receiver) error {
	for i, p := range r.Spec.OIDCProviders {
		for j, variable := range p.Variables {
			field := fmt.Sprintf("spec.oidcProviders[%d].variables[%d].expression", i, j)
			if err := v.CompileVariable(field, variable.Expression); err != nil {
				return fmt.Errorf("%w (for issuer %q)", err, p.IssuerURL)
			}
		}
		for j, validation := range p.Validations {
			field := fmt.Sprintf("spec.oidcProviders[%d].validations[%d].expression", i, j)
			if err := v.CompileValidation(field, validation.Expression); err != nil {
				return fmt.Errorf("%w (for issuer %q)", err, p.IssuerURL)
			}
		}
	}
	return nil
}
