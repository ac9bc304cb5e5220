package manifests_test

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

// testLimits tries what is valid, or invalid, in every version alike.
func (c *cluster) testLimits(t *testing.T) {
	long := func(length int) string { return strings.Repeat("x", length) }
	const secret, noResources = "secretRef: {name: token}, ", "resources: []"
	tests := []struct {
		name, kind, spec string
		// want is part of the error; there is none if empty.
		want string
	}{
		{"no sources", "Alert", "{providerRef: {name: p}, eventSources: []}", ""},
		{"summary of 300", "Alert", "{providerRef: {name: p}, eventSources: [], summary: " + long(300) + "}", ""},
		{"source name of 253", "Alert", "{providerRef: {name: p}, eventSources: [{kind: Bucket, name: " + long(253) + "}]}", ""},
		{"source name of 254", "Alert", "{providerRef: {name: p}, eventSources: [{kind: Bucket, name: " + long(254) + "}]}",
			"spec.eventSources[0].name: Too long"},
		{"empty source name", "Alert", "{providerRef: {name: p}, eventSources: [{kind: Bucket, name: ''}]}",
			"spec.eventSources[0].name: Invalid value"},
		{"source namespace of 253", "Alert",
			"{providerRef: {name: p}, eventSources: [{kind: Bucket, name: b, namespace: " + long(253) + "}]}", ""},
		{"source without kind", "Alert", "{providerRef: {name: p}, eventSources: [{name: b}]}", "spec.eventSources[0].kind: Required"},
		{"source of another kind", "Alert", "{providerRef: {name: p}, eventSources: [{kind: Pod, name: b}]}",
			"spec.eventSources[0].kind: Unsupported value"},
		{"no sources field", "Alert", "{providerRef: {name: p}}", "spec.eventSources: Required"},
		{"no Provider", "Alert", "{eventSources: []}", "spec.providerRef: Required"},
		{"unknown severity", "Alert", "{providerRef: {name: p}, eventSources: [], eventSeverity: warning}",
			"spec.eventSeverity: Unsupported value"},

		{"filter of 4096", "Alert", "{providerRef: {name: p}, eventSources: [], eventFilter: " + long(4096) + "}", ""},
		{"filter of 4097", "Alert", "{providerRef: {name: p}, eventSources: [], eventFilter: " + long(4097) + "}",
			"spec.eventFilter: Too long"},
		{"repeat interval", "Alert", "{providerRef: {name: p}, eventSources: [], repeatInterval: 1h30m}", ""},
		{"repeat interval in days", "Alert", "{providerRef: {name: p}, eventSources: [], repeatInterval: 1d}",
			"spec.repeatInterval: Invalid value"},
		{"message of 4096", "Alert", "{providerRef: {name: p}, eventSources: [], message: " + long(4096) + "}", ""},
		{"message of 4097", "Alert", "{providerRef: {name: p}, eventSources: [], message: " + long(4097) + "}",
			"spec.message: Too long"},

		{"newest type", "Provider", "{type: incident.io}", ""},
		{"unknown type", "Provider", "{type: pigeon}", "spec.type: Unsupported value"},
		{"no type", "Provider", "{}", "spec.type: Required"},
		{"long strings", "Provider", "{type: slack, channel: " + long(3000) + ", username: " + long(3000) +
			", address: " + long(3000) + ", proxy: http://" + long(3000) + "}", ""},
		{"proxy of another scheme", "Provider", "{type: slack, proxy: socks5://proxy}", "spec.proxy: Invalid value"},
		{"timeout", "Provider", "{type: slack, timeout: 1m30s}", ""},
		{"timeout in hours", "Provider", "{type: slack, timeout: 1h}", "spec.timeout: Invalid value"},
		{"interval in hours", "Provider", "{type: slack, interval: 1h}", ""},

		{"newest type", "Receiver", "{type: cdevents, " + secret + noResources + "}", ""},
		{"unknown type", "Receiver", "{type: pigeon, " + secret + noResources + "}", "spec.type: Unsupported value"},
		{"interval in days", "Receiver", "{type: generic, interval: 1d, " + secret + noResources + "}", "spec.interval: Invalid value"},
		{"no resources field", "Receiver", "{type: generic, secretRef: {name: token}}", "spec.resources: Required"},
		{"issuer listed twice", "Receiver", "{type: generic-oidc, " + noResources + ", oidcProviders: [" +
			"{issuerURL: 'https://i', validations: [{expression: a, message: b}]}," +
			"{issuerURL: 'https://i', validations: [{expression: a, message: b}]}]}", "spec.oidcProviders[1]: Duplicate value"},
		{"issuer of another scheme", "Receiver", "{type: generic-oidc, " + noResources +
			", oidcProviders: [{issuerURL: i, validations: [{expression: a, message: b}]}]}", "spec.oidcProviders[0].issuerURL: Invalid value"},
		{"issuer without validations", "Receiver", "{type: generic-oidc, " + noResources +
			", oidcProviders: [{issuerURL: 'https://i', validations: []}]}", "spec.oidcProviders[0].validations: Invalid value"},
	}
	for _, test := range tests {
		k := kindNamed(t, test.kind)
		t.Run(test.kind+" with "+test.name, func(t *testing.T) {
			for _, version := range k.versions() {
				c.checkCreate(t, k, version, test.spec, test.want)
			}
		})
	}
}

// testRules tries the rules that only the storage versions have.
func (c *cluster) testRules(t *testing.T) {
	const provider = "oidcProviders: [{issuerURL: 'https://i', validations: [{expression: a, message: b}]}]"
	const commitStatus = "spec.commitStatusExpr is only supported for the " +
		"'github', 'gitlab', 'gitea', 'bitbucketserver', 'bitbucket', 'azuredevops' provider types"
	tests := []struct{ kind, spec, want string }{
		{"Provider", "{type: azuredevops, commitStatusExpr: a}", ""},
		{"Provider", "{type: slack, commitStatusExpr: a}", commitStatus},
		{"Receiver", "{type: generic-oidc, resources: [], " + provider + "}", ""},
		{"Receiver", "{type: generic-oidc, resources: []}", "generic-oidc receivers must define at least one oidcProvider"},
		{"Receiver", "{type: generic-oidc, resources: [], oidcProviders: []}",
			"generic-oidc receivers must define at least one oidcProvider"},
		{"Receiver", "{type: generic, resources: [], secretRef: {name: token}, " + provider + "}",
			"oidcProviders can only be set when type is generic-oidc"},
		{"Receiver", "{type: generic, resources: [], secretRef: {name: token}, oidcProviders: []}", ""},
		{"Receiver", "{type: generic-oidc, resources: [], secretRef: {name: token}, " + provider + "}",
			"secretRef cannot be set when type is generic-oidc"},
		{"Receiver", "{type: generic, resources: []}", "secretRef is required when type is not generic-oidc"},
	}
	for _, test := range tests {
		k := kindNamed(t, test.kind)
		t.Run(test.spec, func(t *testing.T) {
			c.checkCreate(t, k, k.storageVersion, test.spec, test.want)
			for _, version := range olderVersions() {
				c.checkCreate(t, k, version, test.spec, "")
			}
		})
	}
}

// checkCreate creates an object, but for storing it, and looks for the error want.
func (c *cluster) checkCreate(t *testing.T, k kind, version, spec, want string) {
	t.Helper()
	object := parse(t, "apiVersion: "+notification.GroupName+"/"+version+"\nkind: "+k.name+"\nspec: "+spec)
	object.SetName("checked")
	_, err := c.objects(k, version, metav1.NamespaceDefault).
		Create(t.Context(), object, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldValidation: metav1.FieldValidationStrict})
	switch {
	case want == "" && err != nil:
		t.Errorf("%s in %s: %v", k.name, version, err)
	case want != "" && (err == nil || !strings.Contains(err.Error(), want)):
		t.Errorf("%s in %s: error is %v, want one with %q", k.name, version, err, want)
	}
}

// testWithoutSpec creates the least that can be written, as Flux's own tests do.
func (c *cluster) testWithoutSpec(t *testing.T) {
	namespace := c.namespace(t)
	for _, k := range kinds() {
		for _, version := range k.versions() {
			object := &unstructured.Unstructured{}
			object.SetAPIVersion(notification.GroupName + "/" + version)
			object.SetKind(k.name)
			object.SetName("empty-" + version)
			c.create(t, namespace, object)
			got := c.get(t, k, k.storageVersion, namespace, object.GetName()).Object
			delete(got, "metadata")
			want := map[string]any{"apiVersion": notification.GroupName + "/" + k.storageVersion, "kind": k.name}
			if k.name == "Receiver" {
				want["status"] = map[string]any{"observedGeneration": int64(-1)}
			}
			equal(t, k.name+" without spec, created in "+version, got, want)
		}
	}
}
