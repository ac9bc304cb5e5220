package receiver

import (
	"errors"
	"strings"
	"testing"

	v1 "github.com/notification-controller/notification-controller/pkg/apis/notification/v1"
)

// TestCheckOIDC has a compiler that refuses what says "broken".
func TestCheckOIDC(t *testing.T) {
	refuse := func(field, expression string) error {
		if strings.Contains(expression, "broken") {
			return errors.New(field + ":1:1: broken")
		}
		return nil
	}
	validation := Validation{
		Supported:       func(string) bool { return true },
		CompileFilter:   func(field, expression string, _ bool) error { return refuse(field, expression) },
		CompileVariable: refuse,
		CompileValidation: func(field, expression string) error {
			return refuse(field, strings.ReplaceAll(expression, "no bool", "broken"))
		},
	}
	for _, test := range []struct {
		name         string
		edit         func(*v1.Receiver)
		reason, text string
	}{
		{"good", func(*v1.Receiver) {}, "", ""},
		{"variable", func(r *v1.Receiver) { r.Spec.OIDCProviders[1].Variables[1].Expression = "broken" },
			"InvalidCELExpression", `spec.oidcProviders[1].variables[1].expression:1:1: broken (for issuer "https://b.example.com")`},
		{"validation", func(r *v1.Receiver) { r.Spec.OIDCProviders[1].Validations[0].Expression = "no bool" },
			"InvalidCELExpression", `spec.oidcProviders[1].validations[0].expression:1:1: broken (for issuer "https://b.example.com")`},
		{"filter first", func(r *v1.Receiver) {
			r.Spec.ResourceFilter = "broken"
			r.Spec.OIDCProviders[0].Variables[0].Name = ""
		}, "InvalidCELExpression", "spec.resourceFilter:1:1: broken"},
		{"fields before expressions", func(r *v1.Receiver) {
			r.Spec.OIDCProviders[0].Variables[0].Expression = "broken"
			r.Spec.OIDCProviders[1].Validations[0].Message = ""
		}, "ValidationFailed", "spec.oidcProviders[1].validations[0]: "},
	} {
		t.Run(test.name, func(t *testing.T) {
			r := &v1.Receiver{Spec: v1.ReceiverSpec{Type: v1.GenericOIDCReceiver}}
			for _, issuer := range []string{"https://a.example.com", "https://b.example.com"} {
				r.Spec.OIDCProviders = append(r.Spec.OIDCProviders, v1.OIDCProvider{
					IssuerURL:   issuer,
					Variables:   []v1.OIDCVariable{{Name: "a", Expression: "1"}, {Name: "b", Expression: "2"}},
					Validations: []v1.OIDCValidation{{Expression: "true", Message: "m"}},
				})
			}
			test.edit(r)
			problem := validation.Check(r)
			switch {
			case test.reason == "" && problem != nil:
				t.Errorf("got %+v", problem)
			case test.reason != "" && (problem == nil || problem.Reason != test.reason || !strings.HasPrefix(problem.Message, test.text)):
				t.Errorf("got %+v, want %s %s", problem, test.reason, test.text)
			}
		})
	}
}
