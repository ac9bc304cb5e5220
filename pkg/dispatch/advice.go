package dispatch

import (
	"fmt"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// Explain says why a notification was not sent and, unless the error does, which field of which object to look at.
func (o Outcome) Explain() string {
	if o.Err == nil {
		return ""
	}
	if next := Advice(o.Reason); next != "" {
		return fmt.Sprintf("%s; Provider '%s': %s", o.Err, o.Provider, next)
	}
	return o.Err.Error()
}

// Advice is the next step after a failure of which a service has said, or not said, why; empty if there is none to give.
func Advice(reason provider.Reason) string {
	switch reason {
	case provider.ReasonAuth:
		return "check the credentials in the Secret of spec.secretRef"
	case provider.ReasonNotFound, provider.ReasonRejected:
		return "check spec.address and spec.channel"
	case provider.ReasonConnection:
		return "check that spec.address can be reached from where this runs, if need be by way of spec.proxySecretRef"
	case provider.ReasonTimeout:
		return "see whether spec.address can be reached, or why the service is slow, or raise spec.timeout"
	case provider.ReasonTLS:
		return "check the scheme of spec.address and the certificates of spec.certSecretRef"
	case provider.ReasonRateLimited, ReasonQueueFull, ReasonExpired:
		return "have its Alerts select less (spec.eventSeverity, spec.exclusionList), or see why the service does not take more"
	case provider.ReasonServerError:
		return "see whether the service at spec.address has a fault"
	case ReasonShutdown:
		return "if that is often so, raise --shutdown-timeout"
	default:
		return "" // The error names the field, or nothing is known.
	}
}
