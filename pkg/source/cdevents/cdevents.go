// Package cdevents is the Receiver type "cdevents": an event of the CDEvents specification 0.4, which is the body itself
// and not the data of a CloudEvents envelope. It is not signed: the webhook path is the credential.
// https://github.com/cdevents/spec/blob/v0.4.1/spec.md
package cdevents

import (
	"encoding/json"
	"regexp"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source"
)

// eventHeader is that of the HTTP binding of CloudEvents. It need not be what the body says.
const eventHeader = "Ce-Type"

// typePattern and customPattern are the forms of context.type.
// https://github.com/cdevents/spec/blob/v0.4.1/spec.md#type-context
var (
	typePattern   = regexp.MustCompile(`^dev\.cdevents\.([a-z]+)\.([a-z]+)\.`)
	customPattern = regexp.MustCompile(`^dev\.cdeventsx\.[a-z]+-[a-z]+\.[a-z]+\.`)
)

// Type is the row of the table for this type.
func Type() source.Type {
	verifier := &verifier{newSchemas()}
	return source.Type{
		Name:      "cdevents",
		Verifier:  source.VerifierFunc(verifier.verify),
		HasEvents: true,
		Title:     "Anything that sends CDEvents 0.4",
		Headers:   []string{eventHeader},
		Check:     "the webhook path, which is the credential; the body fits the schema of its type of event",
	}
}

type verifier struct{ schemas *schemas }

func (v *verifier) verify(r *source.Request, _ map[string][]byte) (source.Result, error) {
	if !v.valid(r.Body) {
		return source.Result{}, source.BadPayload("the body is not an event of CDEvents 0.4")
	}
	return source.Result{Event: r.Header.Get(eventHeader), Payload: r.Body}, nil
}

// valid says whether the body, as far as it is known to the specification, fits the schema of the type that it names:
// fields that the specification does not know are allowed, versions other than those of 0.4.1 are not.
func (v *verifier) valid(body []byte) bool {
	var head struct {
		Context struct {
			Type string
			// SchemaURI is that of a schema of the sender's, which nobody here knows.
			SchemaURI string `json:"schemaUri"`
			// Timestamp is here for its form, RFC 3339, which schemas leave unchecked.
			Timestamp time.Time
		}
	}
	var event map[string]any
	if json.Unmarshal(body, &head) != nil || head.Context.SchemaURI != "" || json.Unmarshal(body, &event) != nil {
		return false
	}
	dropNull(event)
	name := customSchema
	if !customPattern.MatchString(head.Context.Type) {
		name = schemaOf(head.Context.Type)
		addContent(event)
	}
	schema := v.schemas.find(name)
	return schema != nil && schema.Validate(event) == nil
}

// customSchema is the schema of events that a tool defines for itself.
const customSchema = "custom"

// schemaOf returns the name of the schema for a type of event of the specification. It has the type's version in it.
func schemaOf(eventType string) string {
	parts := typePattern.FindStringSubmatch(eventType)
	if parts == nil {
		return "none"
	}
	return parts[1] + "-" + parts[2] + "-event"
}

// addContent adds the content of the subject, which senders leave out where nothing in it is required.
func addContent(event map[string]any) {
	if subject, ok := event["subject"].(map[string]any); ok && subject["content"] == nil {
		subject["content"] = map[string]any{}
	}
}

// dropNull takes away the fields that are null, at any depth: they are as good as missing.
func dropNull(value any) {
	switch v := value.(type) {
	case []any:
		for _, item := range v {
			dropNull(item)
		}
	case map[string]any:
		for name, field := range v {
			if field == nil {
				delete(v, name)
			}
			dropNull(field)
		}
	}
}
