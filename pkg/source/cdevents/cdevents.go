// Package cdevents is the Receiver type "cdevents": an event of the CDEvents specification 0.4, which is the body itself
// and not the data of a CloudEvents envelope. It is not signed: the webhook path is the credential.
// https://github.com/cdevents/spec/blob/v0.4.1/spec.md
package cdevents

import (
	"encoding/json"
	"reflect"

	"github.com/cdevents/sdk-go/pkg/api"
	v04 "github.com/cdevents/sdk-go/pkg/api/v04"

	"github.com/notification-controller/notification-controller/pkg/source"
)

// eventHeader is that of the HTTP binding of CloudEvents. It need not be what the body says.
const eventHeader = "Ce-Type"

// Type is the row of the table for this type.
func Type() source.Type {
	return source.Type{
		Name:      "cdevents",
		Verifier:  source.VerifierFunc(verify),
		HasEvents: true,
		Title:     "Anything that sends CDEvents 0.4",
		Headers:   []string{eventHeader},
		Check:     "the webhook path, which is the credential; the body fits the schema of its type of event",
	}
}

func verify(r *source.Request, _ map[string][]byte) (source.Result, error) {
	if !valid(r.Body) {
		return source.Result{}, source.BadPayload("the body is not an event of CDEvents 0.4")
	}
	return source.Result{Event: r.Header.Get(eventHeader), Payload: r.Body}, nil
}

// valid says whether the body, as far as it is known to the specification, fits the schema of the type that it names:
// fields that the specification does not know are allowed, versions other than those of 0.4.1 are not.
func valid(body []byte) (ok bool) {
	// The SDK dereferences what a caller has left null.
	defer func() {
		if recover() != nil {
			ok = false
		}
	}()
	key, prototype := prototypeOf(body)
	if prototype == nil {
		return false
	}
	// The SDK's own map holds one event of each type that all callers would write to: a call could borrow the fields that
	// it lacks from an earlier one.
	fresh := reflect.New(reflect.TypeOf(prototype).Elem()).Interface().(api.CDEventV04)
	event, err := api.NewFromJsonBytesContext(body, map[string]api.CDEventV04{key: fresh})
	return err == nil && fits(event)
}

// fits says whether an event fits its schema. The SDK's own Validate takes some fields for required, such as artifactId,
// that are not in the specification.
func fits(event api.CDEventV04) bool {
	// A schema of the sender's would have to be registered with the SDK; none is.
	if _, err := event.GetCustomSchema(); err != nil {
		return false
	}
	_, schema, err := event.GetSchema()
	if err != nil {
		return false
	}
	text, err := json.Marshal(event)
	if err != nil {
		return false
	}
	var value any
	return json.Unmarshal(text, &value) == nil && schema.Validate(value) == nil
}

// prototypeOf returns an event of the type that the body names, or nil, and its key in the SDK's maps.
func prototypeOf(body []byte) (string, api.CDEventV04) {
	var head struct {
		Context struct {
			Type api.CDEventType `json:"type"`
		} `json:"context"`
	}
	if json.Unmarshal(body, &head) != nil {
		return "", nil
	}
	key := head.Context.Type.UnversionedString()
	if head.Context.Type.Custom != "" {
		key = api.CustomEventMapKey
	}
	return key, v04.CDEventsByUnversionedTypes[key]
}
