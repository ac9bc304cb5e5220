package v1beta3

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Values of AlertSpec.EventSeverity.
const (
	// EventSeverityInfo lets events of every severity through.
	EventSeverityInfo = "info"
	// EventSeverityError lets only events of severity "error" through.
	EventSeverityError = "error"
)

// AlertSpec selects events and names the Provider that they are sent to.
type AlertSpec struct {
	// ProviderRef names the Provider, in the Alert's namespace, that receives the selected events.
	// +required
	ProviderRef LocalObjectReference `json:"providerRef"`

	// EventSeverity is the least severity selected: "info" selects all events, "error" only errors.
	// +kubebuilder:validation:Enum=info;error
	// +kubebuilder:default:=info
	// +optional
	EventSeverity string `json:"eventSeverity,omitempty"`

	// EventSources selects events by the object they are about; any one entry suffices. An empty list selects
	// nothing. The namespace of an entry defaults to the Alert's.
	// +required
	EventSources []CrossNamespaceObjectReference `json:"eventSources"`

	// InclusionList holds Go regular expressions (RE2, not anchored). If there are any, at least one has to match
	// the event's message.
	// +optional
	InclusionList []string `json:"inclusionList,omitempty"`

	// ExclusionList holds Go regular expressions (RE2, not anchored). An event whose message matches any of them
	// is not selected.
	// +optional
	ExclusionList []string `json:"exclusionList,omitempty"`

	// EventFilter is a CEL expression that has to be true of an event, too, after the lists have been asked. Its
	// variable "event" has the fields of the event's JSON; metadata keys have the prefixes that they arrive with.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	EventFilter string `json:"eventFilter,omitempty"`

	// Message is a Go template whose text takes the place of the event's message in what is sent. The lists and the
	// filter are about the event's own message, which is also sent where the template fails.
	// +kubebuilder:validation:MaxLength=4096
	// +optional
	Message string `json:"message,omitempty"`

	// RepeatInterval is the time in which the Alert sends at most one notification about one object with the same
	// reason and severity, whatever the messages say. A change of severity, revision,
	// commit or change request is always sent. How many were
	// held back is in the next one's metadata, under the key "suppressed".
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +optional
	RepeatInterval *metav1.Duration `json:"repeatInterval,omitempty"`

	// EventMetadata is added to the metadata of every selected event. It overrides annotations of the event's
	// object and is overridden by metadata from the object's controller.
	// +optional
	EventMetadata map[string]string `json:"eventMetadata,omitempty"`

	// Summary is added to the event's metadata under the key "summary".
	// Deprecated: use eventMetadata.summary.
	// +optional
	Summary string `json:"summary,omitempty"`

	// Suspend stops the Alert from selecting events.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// AlertStatus tells whether the Alert works. Whichever replica delivered writes it, at most once a minute. It
// never gets conditions, an observed generation or a default: clients that wait for those count an Alert as ready
// because it has none, and a service that is down does not change that.
type AlertStatus struct {
	// LastDelivery is how the last notification ended.
	// +optional
	LastDelivery *AlertDelivery `json:"lastDelivery,omitempty"`
}

// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories={all,fluxcd,fluxcd-notifications}
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Last Delivery",type="date",JSONPath=".status.lastDelivery.time"
// +kubebuilder:printcolumn:name="Result",type="string",JSONPath=".status.lastDelivery.result"
// +kubebuilder:printcolumn:name="Reason",type="string",JSONPath=".status.lastDelivery.reason",priority=1
// +kubebuilder:printcolumn:name="Error",type="string",JSONPath=".status.lastDelivery.error",priority=1
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Alert selects GitOps events and sends them to a Provider.
type Alert struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec AlertSpec `json:"spec,omitempty"`
	// +optional
	Status AlertStatus `json:"status,omitzero"`
}

// +kubebuilder:object:root=true
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// AlertList is a list of Alerts.
type AlertList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Alert `json:"items"`
}
