package gcr

import (
	"encoding/json"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
)

// push is a message as Pub/Sub pushes it. https://cloud.google.com/pubsub/docs/push#receive_push
type push struct {
	Message struct {
		// Data is base64.
		Data []byte `json:"data"`
		// MessageID stays the same when the message is pushed again.
		MessageID string `json:"messageId"`
		// PublishTime is in RFC 3339.
		PublishTime time.Time `json:"publishTime"`
	} `json:"message"`
	Subscription string `json:"subscription"`
}

// image is what the registry says of a change.
// https://cloud.google.com/artifact-registry/docs/configure-notifications#examples
type image struct {
	Action string `json:"action"`
	Digest string `json:"digest"`
	Tag    string `json:"tag"`
}

// decode returns the id of the message, and what the registry says as the payload: all of its fields and no others.
func decode(body []byte) (source.Result, error) {
	// The errors would quote the body.
	var message push
	if json.Unmarshal(body, &message) != nil {
		return source.Result{}, source.BadPayload("the body is not a message of Pub/Sub")
	}
	var change image
	if json.Unmarshal(message.Message.Data, &change) != nil {
		return source.Result{}, source.BadPayload("the data of the message is not a notification of the registry")
	}
	payload, err := json.Marshal(change)
	if err != nil {
		return source.Result{}, err
	}
	return source.Result{DeliveryID: message.Message.MessageID, Payload: payload, PayloadIsJSON: true}, nil
}
