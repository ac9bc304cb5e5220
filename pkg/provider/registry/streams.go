package registry

import (
	"github.com/notification-controller/notification-controller/pkg/provider"
	"github.com/notification-controller/notification-controller/pkg/provider/azureeventhub"
	"github.com/notification-controller/notification-controller/pkg/provider/googlepubsub"
	"github.com/notification-controller/notification-controller/pkg/provider/nats"
)

// streams are the types that publish events to machines.
func streams() []provider.Type {
	return []provider.Type{
		{
			Name:         "azureeventhub",
			Title:        "Azure Event Hubs",
			New:          azureeventhub.New,
			NeedsAddress: true,
			SecretKeys:   []string{"token"},
			Sends:        "The event as JSON.",
			Address:      "a connection string with `SharedAccessKey` and `EntityPath`, or the name of an event hub",
			Channel:      "with the name of an event hub, its namespace",
			Limits:       "An event is cut at 1 MB, and if that is refused, at the 256 KB of the tier Basic.",
			Notes:        "By HTTPS, not AMQP. Without a connection string, the token is a JWT; without a token, that of the identity is used, in Azure's own clouds only. These exclude each other: connection string, token, `spec.serviceAccountName`.",
		},
		{
			Name:         "googlepubsub",
			Title:        "Google Cloud Pub/Sub",
			New:          googlepubsub.New,
			NeedsAddress: true,
			SecretKeys:   []string{"headers", "token"},
			Sends:        "The event as JSON.",
			Address:      "the ID of a project",
			Channel:      "the ID of a topic, or `projects/PROJECT/topics/TOPIC`",
			Limits:       "An event is cut so that a request has 10 MB at most. Attributes are not cut: those over Pub/Sub's limits (100 of them, names of 256 bytes, values of 1,024) are refused.",
			Notes:        "By HTTPS, not gRPC; each event is a request. The key `headers` holds the message's attributes as YAML. The token is the JSON key of a service account; other JSON credentials are refused, since they would have the controller read its own files. Without a token, that of the identity is used. If the controller's environment has `PUBSUB_EMULATOR_HOST`, events go to that emulator, without credentials.",
		},
		{
			Name:         "nats",
			Title:        "NATS",
			New:          nats.New,
			NeedsAddress: true,
			SecretKeys:   []string{"creds", "nkey", "password", "token", "username"},
			Sends:        "The event as JSON.",
			Address:      "one server or several with commas between them: `nats://`, `tls://`, `ws://`, `wss://`, or `HOST:PORT`",
			Channel:      "a subject",
			Limits:       "An event is cut at the server's `max_payload`.",
			Notes:        "There is no proxy. The first of these is used: `creds` (a file as nsc writes it), `nkey` (a user's seed), `username` with `password`, `token`; what stands in the address takes precedence over the last two. With `spec.certSecretRef` nothing is sent without TLS.",
		},
	}
}
