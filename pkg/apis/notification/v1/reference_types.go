package v1

// LocalObjectReference names an object in the namespace of the object that holds the reference.
type LocalObjectReference struct {
	// Name of the referenced object.
	// +required
	Name string `json:"name"`
}

// CrossNamespaceObjectReference selects objects of one kind by name or, with the name "*", all of them in a
// namespace, optionally by label.
type CrossNamespaceObjectReference struct {
	// APIVersion of the referenced object. Defaults by kind for the kinds of the source
	// controllers and for ImageRepository; needed for every other kind.
	// +optional
	APIVersion string `json:"apiVersion,omitempty"`

	// Kind of the referenced object.
	// +kubebuilder:validation:Enum=Bucket;GitRepository;Kustomization;HelmRelease;HelmChart;HelmRepository;ImageRepository;ImagePolicy;ImageUpdateAutomation;OCIRepository;ArtifactGenerator;ExternalArtifact
	// +required
	Kind string `json:"kind"`

	// Name of the referenced object; "*" stands for every name.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +required
	Name string `json:"name"`

	// Namespace of the referenced object. Defaults to the namespace of the object that holds the reference.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +optional
	Namespace string `json:"namespace,omitempty"`

	// MatchLabels narrows the selection to objects that have all of these labels.
	// +optional
	MatchLabels map[string]string `json:"matchLabels,omitempty"`
}
