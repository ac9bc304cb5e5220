package expr

// ReceiverCompiler compiles the expressions of Receivers. It is safe for concurrent use.
type ReceiverCompiler struct {
	filters, filtersWithClaims, claims *Compiler
}

// NewReceiverCompiler returns a ReceiverCompiler.
func NewReceiverCompiler() *ReceiverCompiler {
	return &ReceiverCompiler{
		filters:           NewCompiler(VarResource, VarRequest),
		filtersWithClaims: NewCompiler(VarResource, VarRequest, VarClaims),
		claims:            NewCompiler(VarClaims, VarVars),
	}
}

// Filters compiles filters of objects. The claims are declared only where callers have them.
func (c *ReceiverCompiler) Filters(withClaims bool) *Compiler {
	if withClaims {
		return c.filtersWithClaims
	}
	return c.filters
}

// Claims compiles the variables of an OIDC provider, over the claims of a token and the variables before, and its
// validations, over the claims and all variables.
func (c *ReceiverCompiler) Claims() *Compiler { return c.claims }
