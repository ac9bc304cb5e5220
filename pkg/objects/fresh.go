package objects

import metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

// Fresh has the first list of an informer be of what there is now. The API server may take that of resourceVersion 0,
// which informers ask for, from a cache of any age: who starts would take events before it knows of the latest Alert.
// https://kubernetes.io/docs/reference/using-api/api-concepts/#semantics-for-get-and-list
func Fresh(o *metav1.ListOptions) {
	if o.ResourceVersion == "0" {
		o.ResourceVersion = ""
	}
}
