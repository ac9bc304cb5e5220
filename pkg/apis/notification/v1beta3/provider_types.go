package v1beta3

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// ProviderSpec says where and how notifications are sent.
// +kubebuilder:validation:XValidation:rule="self.type == 'github' || self.type == 'gitlab' || self.type == 'gitea' || self.type == 'bitbucketserver' || self.type == 'bitbucket' || self.type == 'azuredevops' || !has(self.commitStatusExpr)",message="spec.commitStatusExpr is only supported for the 'github', 'gitlab', 'gitea', 'bitbucketserver', 'bitbucket', 'azuredevops' provider types"
type ProviderSpec struct {
	// Type of the service that notifications are sent to.
	// +kubebuilder:validation:Enum=slack;discord;msteams;rocket;generic;generic-hmac;github;gitlab;gitea;bitbucketserver;bitbucket;azuredevops;googlechat;googlepubsub;webex;sentry;azureeventhub;telegram;lark;matrix;opsgenie;alertmanager;grafana;githubdispatch;pagerduty;datadog;nats;zulip;otel;githubpullrequestcomment;gitlabmergerequestcomment;giteapullrequestcomment;zoom;incident.io
	// +required
	Type string `json:"type"`

	// Interval is accepted for compatibility and has no effect.
	// Deprecated: a Provider is not reconciled at an interval.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`

	// Channel that messages are posted to; its meaning depends on the type.
	// +optional
	Channel string `json:"channel,omitempty"`

	// Username that messages are posted under.
	// +optional
	Username string `json:"username,omitempty"`

	// Address of the service: a URL for most types, at most 2048 bytes. The key "address" of the Secret in
	// secretRef takes precedence.
	// +optional
	Address string `json:"address,omitempty"`

	// Timeout of one attempt to send a notification; 15s when unset or zero.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m))+$"
	// +optional
	Timeout *metav1.Duration `json:"timeout,omitempty"`

	// Proxy is the URL of an HTTP(S) proxy.
	// Deprecated: use proxySecretRef.
	// +kubebuilder:validation:Pattern="^(http|https)://"
	// +optional
	Proxy string `json:"proxy,omitempty"`

	// ProxySecretRef names a Secret with the proxy's "address" and optionally its "username" and "password".
	// +optional
	ProxySecretRef *LocalObjectReference `json:"proxySecretRef,omitempty"`

	// SecretRef names a Secret with the credentials of the service; the keys depend on the type.
	// +optional
	SecretRef *LocalObjectReference `json:"secretRef,omitempty"`

	// ServiceAccountName is the ServiceAccount whose identity is used at cloud providers.
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`

	// CertSecretRef names a Secret with a CA ("ca.crt") and/or a client certificate ("tls.crt" and "tls.key").
	// +optional
	CertSecretRef *LocalObjectReference `json:"certSecretRef,omitempty"`

	// CommitStatusExpr is a CEL expression that gives the id of a commit status from event, alert and provider.
	// +optional
	CommitStatusExpr string `json:"commitStatusExpr,omitempty"`

	// Suspend stops notifications from being sent.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ProviderStatus tells whether the Provider works. Whichever replica delivered writes it, at most once a minute. It
// never gets conditions, an observed generation or a default: clients that wait for those count a Provider as ready
// because it has none, and a service that is down does not change that.
type ProviderStatus struct {
	// LastDelivery is how the last notification ended.
	// +optional
	LastDelivery *Delivery `json:"lastDelivery,omitempty"`
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

// Provider is a service that notifications are sent to.
type Provider struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec ProviderSpec `json:"spec,omitempty"`
	// +optional
	Status ProviderStatus `json:"status,omitzero"`
}

// +kubebuilder:object:root=true
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ProviderList is a list of Providers.
type ProviderList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Provider `json:"items"`
}
