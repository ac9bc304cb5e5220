package v1beta3

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Values of Delivery.Result.
const (
	// DeliverySent means that the service took the notification.
	DeliverySent = "sent"
	// DeliveryFailed means that it was given up.
	DeliveryFailed = "failed"
	// DeliveryDropped means that it was not tried, because too many waited or its Provider was deleted.
	DeliveryDropped = "dropped"
)

// Delivery is how a notification ended.
type Delivery struct {
	// Time at which it ended.
	// +required
	Time metav1.Time `json:"time"`

	// Result is "sent", "failed" or "dropped".
	// +required
	Result string `json:"result"`

	// Reason is the class of the failure, such as "auth" or "timeout".
	// +optional
	Reason string `json:"reason,omitempty"`

	// Error is why it failed and what to look at, on one line and without secrets.
	// +optional
	Error string `json:"error,omitempty"`
}

// AlertDelivery is how a notification of an Alert ended.
type AlertDelivery struct {
	Delivery `json:",inline"`

	// Provider that it was for.
	// +optional
	Provider string `json:"provider,omitempty"`

	// Object that the event was about, as kind/namespace/name.
	// +optional
	Object string `json:"object,omitempty"`
}
