package otel

import (
	"net/url"
	"strings"

	common "go.opentelemetry.io/proto/slim/otlp/common/v1"
	resource "go.opentelemetry.io/proto/slim/otlp/resource/v1"

	"github.com/notification-controller/notification-controller/pkg/event"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// resourceVariable is the environment variable with attributes of the resource, by which clusters are told apart. Of the
// variables of OpenTelemetry it is the only one that counts: others hold credentials of the operator, which must not go to
// whatever collector a Provider names.
//
// Source: https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/#general-sdk-configuration
const resourceVariable = "OTEL_RESOURCE_ATTRIBUTES"

// Attributes that name the Alert, whatever the environment says of them.
const (
	serviceName       = "service.name"
	serviceNamespace  = "service.namespace"
	serviceInstanceID = "service.instance.id"
)

// newResource returns the Alert as a resource, which has these attributes as well.
func newResource(alert provider.Object, more []*common.KeyValue) *resource.Resource {
	return &resource.Resource{Attributes: append([]*common.KeyValue{
		attribute(serviceName, alert.String()),
		attribute(serviceNamespace, alert.Namespace),
		attribute(serviceInstanceID, alert.UID),
	}, more...)}
}

// resourceAttributes returns what the value of the variable adds to the Alert's attributes, sorted by key.
func resourceAttributes(text string) []*common.KeyValue {
	pairs := parseAttributes(text)
	for _, key := range []string{serviceName, serviceNamespace, serviceInstanceID} {
		delete(pairs, key)
	}
	var attributes []*common.KeyValue
	for _, key := range event.SortedKeys(pairs) {
		attributes = append(attributes, attribute(key, pairs[key]))
	}
	return attributes
}

// parseAttributes reads KEY=VALUE,…, where values are percent-encoded. It takes what OpenTelemetry's SDK for Go takes: what
// has no key or no "=" is left out, a value with a broken escape stays as it is, and of one key the last value counts.
//
// Source: https://opentelemetry.io/docs/specs/otel/resource/sdk/#specifying-resource-information-via-an-environment-variable
func parseAttributes(text string) map[string]string {
	pairs := map[string]string{}
	for entry := range strings.SplitSeq(strings.TrimSpace(text), ",") {
		key, value, found := strings.Cut(entry, "=")
		if key = strings.TrimSpace(key); !found || key == "" {
			continue
		}
		if decoded, err := url.PathUnescape(strings.TrimSpace(value)); err == nil {
			value = decoded
		}
		pairs[key] = value
	}
	return pairs
}
