package v1

import (
	"crypto/sha256"
	"encoding/hex"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// DefaultReceiverInterval applies to Receivers stored before the schema had a default.
const DefaultReceiverInterval = 10 * time.Minute

// WebhookPathPrefix starts the path of every Receiver.
const WebhookPathPrefix = "/hook/"

// Values of ReceiverSpec.Type that the API itself treats specially.
const (
	// GenericOIDCReceiver authenticates by OIDC token and has no Secret.
	GenericOIDCReceiver = "generic-oidc"
)

// ReceiverSpec says who may call a Receiver's URL and which objects a call reconciles.
// +kubebuilder:validation:XValidation:rule="self.type != 'generic-oidc' || (has(self.oidcProviders) && self.oidcProviders.size() > 0)",message="generic-oidc receivers must define at least one oidcProvider"
// +kubebuilder:validation:XValidation:rule="self.type == 'generic-oidc' || !has(self.oidcProviders) || self.oidcProviders.size() == 0",message="oidcProviders can only be set when type is generic-oidc"
// +kubebuilder:validation:XValidation:rule="self.type != 'generic-oidc' || !has(self.secretRef)",message="secretRef cannot be set when type is generic-oidc"
// +kubebuilder:validation:XValidation:rule="self.type == 'generic-oidc' || has(self.secretRef)",message="secretRef is required when type is not generic-oidc"
type ReceiverSpec struct {
	// Type of the sender; it decides how a call is verified.
	// +kubebuilder:validation:Enum=generic;generic-hmac;generic-oidc;github;gitlab;bitbucket;harbor;dockerhub;quay;gcr;nexus;acr;cdevents;standard-webhooks;azuredevops;jfrog;sns
	// +required
	Type string `json:"type"`

	// Interval at which the Receiver is reconciled; "0s" means only when something changes.
	// +kubebuilder:validation:Type=string
	// +kubebuilder:validation:Pattern="^([0-9]+(\\.[0-9]+)?(ms|s|m|h))+$"
	// +kubebuilder:default:="10m"
	// +optional
	Interval *metav1.Duration `json:"interval,omitempty"`

	// Events lists the event names that are handled, for the senders that name them; empty means all.
	// +optional
	Events []string `json:"events,omitempty"`

	// Resources lists the objects that a call reconciles.
	// +required
	Resources []ResourceReference `json:"resources"`

	// ResourceFilter is a CEL expression over "res" (the object's metadata) and "req" (the request's body) that has
	// to be true for an object to be reconciled.
	// +optional
	ResourceFilter string `json:"resourceFilter,omitempty"`

	// SecretRef names the Secret whose key "token" verifies calls and salts the webhook path.
	// +optional
	SecretRef *LocalObjectReference `json:"secretRef,omitempty"`

	// OIDCProviders lists the issuers whose tokens are accepted by the type generic-oidc.
	// +listType=map
	// +listMapKey=issuerURL
	// +optional
	OIDCProviders []OIDCProvider `json:"oidcProviders,omitempty"`

	// Suspend stops calls from having an effect.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
}

// ResourceReference selects objects to reconcile.
type ResourceReference struct {
	CrossNamespaceObjectReference `json:",inline"`

	// Filter is a CEL expression like resourceFilter that applies to the objects of this entry only.
	// +optional
	Filter string `json:"filter,omitempty"`
}

// OIDCProvider is an issuer of identity tokens and what its tokens have to say.
type OIDCProvider struct {
	// IssuerURL has to equal the token's "iss" claim.
	// +kubebuilder:validation:Pattern="^https?://"
	// +required
	IssuerURL string `json:"issuerURL"`

	// Audience has to be among the token's "aud" claim; "notification-controller" when unset.
	// +optional
	Audience string `json:"audience,omitempty"`

	// Variables are CEL expressions over "claims" and earlier "vars", available to later ones and to validations.
	// +optional
	Variables []OIDCVariable `json:"variables,omitempty"`

	// Validations are CEL expressions over "claims" and "vars" that all have to be true.
	// +kubebuilder:validation:MinItems=1
	// +required
	Validations []OIDCValidation `json:"validations"`
}

// OIDCVariable names the result of an expression.
type OIDCVariable struct {
	// Name of the variable: vars.NAME.
	// +required
	Name string `json:"name"`
	// Expression gives the value.
	// +required
	Expression string `json:"expression"`
}

// OIDCValidation is a rule for the claims of a token.
type OIDCValidation struct {
	// Expression has to be true.
	// +required
	Expression string `json:"expression"`
	// Message is given to the caller when it is not.
	// +required
	Message string `json:"message"`
}

// ReceiverStatus is what the controller says of a Receiver.
type ReceiverStatus struct {
	// Conditions are Ready, Reconciling and Stalled.
	// +optional
	Conditions []metav1.Condition `json:"conditions,omitempty"`

	// WebhookPath is the path that callers use; it is as secret as the token.
	// +optional
	WebhookPath string `json:"webhookPath,omitempty"`

	// PreviousWebhookPath is the path for the key "previousToken" of the Secret, while it is there: callers that have
	// not got the new token yet go on using it.
	// +optional
	PreviousWebhookPath string `json:"previousWebhookPath,omitempty"`

	// URL was the path in v1beta1.
	// Deprecated: use webhookPath.
	// +optional
	URL string `json:"url,omitempty"`

	// ObservedGeneration is the last generation that was reconciled.
	// +optional
	ObservedGeneration int64 `json:"observedGeneration,omitempty"`

	// LastHandledReconcileAt is the last reconcile request that was handled.
	// +optional
	LastHandledReconcileAt string `json:"lastHandledReconcileAt,omitempty"`
}

// +genclient
// +kubebuilder:object:root=true
// +kubebuilder:storageversion
// +kubebuilder:subresource:status
// +kubebuilder:resource:categories={all,fluxcd,fluxcd-notifications}
// +kubebuilder:printcolumn:name="Age",type="date",JSONPath=".metadata.creationTimestamp"
// +kubebuilder:printcolumn:name="Ready",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].status"
// +kubebuilder:printcolumn:name="Status",type="string",JSONPath=".status.conditions[?(@.type==\"Ready\")].message"
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// Receiver is a webhook that reconciles objects when it is called.
type Receiver struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// +optional
	Spec ReceiverSpec `json:"spec,omitempty"`
	// +kubebuilder:default:={"observedGeneration":-1}
	// +optional
	Status ReceiverStatus `json:"status,omitempty"`
}

// +kubebuilder:object:root=true
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object

// ReceiverList is a list of Receivers.
type ReceiverList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata,omitempty"`
	Items           []Receiver `json:"items"`
}

// WebhookPathFor is the path that a token gives the Receiver: /hook/ and the SHA-256 of token, name and namespace, as the
// flux CLI computes it too.
func (r *Receiver) WebhookPathFor(token string) string {
	digest := sha256.Sum256([]byte(token + r.Name + r.Namespace))
	return WebhookPathPrefix + hex.EncodeToString(digest[:])
}

// ReconcileInterval is the time between two timed reconciliations; 0 means none.
func (r *Receiver) ReconcileInterval() time.Duration {
	if r.Spec.Interval == nil {
		return DefaultReceiverInterval
	}
	return r.Spec.Interval.Duration
}
