// Package notification holds what all versions of the API group share.
package notification

const (
	// GroupName is the API group of all kinds of this project.
	GroupName = "notification.toolkit.fluxcd.io"

	// RequestedAtAnnotation on an object asks its controller to reconcile it at once. The value is an opaque
	// token: only a change of it matters.
	RequestedAtAnnotation = "reconcile.fluxcd.io/requestedAt"

	// LegacyFinalizer was put on objects by older controllers of this group. This one never adds a finalizer,
	// but removes that one, or the objects could never be deleted.
	LegacyFinalizer = "finalizers.fluxcd.io"
)

const (
	// ResolveAnnotation on a Provider, with the value ResolveEnabled, has a success close what a failure opened, for
	// types that do not do so anyway.
	ResolveAnnotation = "notification.toolkit.fluxcd.io/resolve"
	// ResolveEnabled turns ResolveAnnotation on.
	ResolveEnabled = "enabled"
)

// Reasons and types of Receiver conditions.
const (
	// ConditionReady is True while the object does its job.
	ConditionReady = "Ready"
	// ConditionReconciling is True while a failed attempt waits to be tried again.
	ConditionReconciling = "Reconciling"
	// ConditionStalled is True when only an edit can help.
	ConditionStalled = "Stalled"

	// ReasonSucceeded accompanies Ready=True.
	ReasonSucceeded = "Succeeded"
	// ReasonTokenNotFound says that the Secret or its token cannot be read, or not used.
	ReasonTokenNotFound = "TokenNotFound"
	// ReasonInvalidCELExpression says that an expression in the spec does not compile.
	ReasonInvalidCELExpression = "InvalidCELExpression"
	// ReasonValidationFailed says that fields of the spec contradict each other.
	ReasonValidationFailed = "ValidationFailed"
	// ReasonProgressingWithRetry accompanies Reconciling=True.
	ReasonProgressingWithRetry = "ProgressingWithRetry"
)
