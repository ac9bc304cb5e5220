package registry

import (
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/alertmanager"
	"github.com/notification-controller/notification-controller/pkg/provider/datadog"
	"github.com/notification-controller/notification-controller/pkg/provider/grafana"
	"github.com/notification-controller/notification-controller/pkg/provider/incidentio"
	"github.com/notification-controller/notification-controller/pkg/provider/opsgenie"
	"github.com/notification-controller/notification-controller/pkg/provider/otel"
	"github.com/notification-controller/notification-controller/pkg/provider/pagerduty"
	"github.com/notification-controller/notification-controller/pkg/provider/sentry"
)

// incidents are the types that open incidents, and those that watch.
func incidents() []provider.Type {
	return []provider.Type{
		{
			Name:          "alertmanager",
			Title:         "Prometheus Alertmanager",
			New:           alertmanager.New,
			OrderingKey:   (*provider.Notification).ObjectKey,
			SkipResolving: (*provider.Notification).IsProgressing,
			NeedsAddress:  true,
			SecretKeys:    []string{"password", "token", "username"},
			Sends:         "An alert with the event's kind, name, namespace, reason, severity and metadata as labels, and the message and summary as annotations.",
			Address:       "that of the API: `https://HOST/api/v2/alerts/`",
			Notes:         "Every event fires an alert, which ends by Alertmanager's `resolve_timeout`; with the annotation it ends when the object recovers, see [above](#closing-what-a-failure-opened).",
		},
		{
			Name:         "datadog",
			Title:        "Datadog",
			New:          datadog.New,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
			Sends:        "An event with the message, and tags for the object and its metadata.",
			Address:      "`https://api.datadoghq.com`, or that of another site",
			Limits:       "The message is cut at 4,000 characters, a tag at 200.",
			Notes:        "The token is an API key.",
		},
		{
			Name:         "grafana",
			Title:        "Grafana",
			New:          grafana.New,
			NeedsAddress: true,
			SecretKeys:   []string{"password", "token", "username"},
			Sends:        "An annotation with tags for the object and its metadata.",
			Address:      "that of the API: `https://HOST/api/annotations`",
			Limits:       "Keys and values of tags have 100 characters at most; values are cut further so that all have 500 bytes at most.",
			Notes:        "The message is not sent.",
		},
		{
			Name:         "incident.io",
			Title:        "incident.io",
			New:          incidentio.New,
			OrderingKey:  (*provider.Notification).ObjectKey,
			Skip:         (*provider.Notification).IsProgressing,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
			RequiredKeys: []string{"token"},
			Sends:        "An error fires an alert, anything else resolves it.",
			Address:      "that of an alert source: `https://api.incident.io/v2/alert_events/http/ID`",
			Limits:       "The message is cut at 64 KiB, metadata at 16 KiB.",
			Notes:        "There is one alert for each object, by its UID.",
		},
		{
			Name:          "opsgenie",
			Title:         "Opsgenie",
			New:           opsgenie.New,
			OrderingKey:   (*provider.Notification).ObjectKey,
			SkipResolving: (*provider.Notification).IsProgressing,
			NeedsAddress:  true,
			SecretKeys:    []string{"token"},
			RequiredKeys:  []string{"token"},
			Sends:         "An alert with the message as its description, and metadata as details.",
			Address:       "usually `https://api.opsgenie.com/v2/alerts`, or `https://api.eu.opsgenie.com/v2/alerts`",
			Limits:        "Its title is cut at 130 characters, the message at 15,000, the details at 8,000.",
			Notes:         "The token is an API key. Alerts are closed only with the annotation, see [above](#closing-what-a-failure-opened).",
		},
		{
			Name:         "otel",
			Title:        "OpenTelemetry traces",
			New:          otel.New,
			Skip:         otel.Skip,
			NeedsAddress: true,
			ProxyLogin:   true,
			SecretKeys:   []string{"headers", "password", "token", "username"},
			Sends:        "A span for each event, in a trace that the events of an Alert about the same revision share.",
			Address:      "that of traces over HTTP: `https://HOST:4318/v1/traces`",
			Notes:        "The key `headers` holds headers as YAML. The body is protobuf. `username` and `password` are the login of the Provider's proxy, and go to the collector as well only if there are `headers`. They are the collector's alone where there is no such proxy, or it has a login of its own, which Flux would overwrite. With `spec.certSecretRef` the address has to start with `https://`. `OTEL_RESOURCE_ATTRIBUTES` of the controller's environment adds attributes to the resource, such as the name of the cluster. The variables `OTEL_EXPORTER_OTLP_*` are not read, unlike in Flux: the credentials of the operator would go to whatever collector a Provider names.",
		},
		{
			Name:          "pagerduty",
			Title:         "PagerDuty",
			New:           pagerduty.New,
			OrderingKey:   (*provider.Notification).ObjectKey,
			Skip:          (*provider.Notification).IsProgressing,
			NeedsAddress:  true,
			SecretChannel: true,
			Sends:         "An error triggers an incident, anything else resolves it; `info` is also a change event.",
			Address:       "`https://events.pagerduty.com`, or `https://events.eu.pagerduty.com`",
			Channel:       "the routing key of an integration",
			Limits:        "The summary is cut at 1,024 characters, the message at 64 KiB, metadata at 16 KiB.",
			Notes:         "There is one incident for each object, by its UID.",
		},
		{
			Name:         "sentry",
			Title:        "Sentry",
			New:          sentry.New,
			NeedsAddress: true,
			Sends:        "An error event for errors, and a transaction for anything else.",
			Address:      "a DSN",
			Channel:      "the environment",
			Limits:       "The message is cut at 8,192 characters, a tag at 200, metadata at 8,000 bytes.",
		},
	}
}
