package app

import (
	"encoding/json"
	"errors"
	"reflect"
	"regexp"
	"time"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/notification-controller/notification-controller/pkg/controller"
)

// longest stands for durations that Go cannot hold: the pattern of the schema does not bound them.
const longest = 100 * 365 * 24 * time.Hour

// maxDecodeError is how long an error may be in the log, in bytes: it quotes the value, which can be as long as an object.
const maxDecodeError = 200

// durationPattern is that of the schema, in JSON.
var durationPattern = regexp.MustCompile(`^"([0-9]+(\.[0-9]+)?(ms|s|m|h))+"$`)

// tolerant decodes lists and watches of our kinds also if one of the objects has a field that does not decode, though the
// API server has taken it: a duration of 300 years, a time of the status in lower case. By itself, client-go would then know none
// of the kind, in any namespace, for as long as the object is there.
type tolerant struct {
	runtime.NegotiatedSerializer
	log klog.Logger
}

// DecoderToVersion implements [runtime.NegotiatedSerializer].
func (t tolerant) DecoderToVersion(decoder runtime.Decoder, gv runtime.GroupVersioner) runtime.Decoder {
	return tolerantDecoder{t.NegotiatedSerializer.DecoderToVersion(decoder, gv), t.log}
}

type tolerantDecoder struct {
	runtime.Decoder
	log klog.Logger
}

// rawObject is an object, or a list of them, of which only some is decoded.
type rawObject struct {
	APIVersion string                     `json:"apiVersion"`
	Kind       string                     `json:"kind"`
	Metadata   json.RawMessage            `json:"metadata,omitempty"`
	Spec       map[string]json.RawMessage `json:"spec,omitempty"`
	Status     map[string]json.RawMessage `json:"status,omitempty"`
	Items      []json.RawMessage          `json:"items,omitempty"`
}

// Decode implements [runtime.Decoder].
func (d tolerantDecoder) Decode(data []byte, defaults *schema.GroupVersionKind, into runtime.Object) (runtime.Object, *schema.GroupVersionKind, error) {
	decoded, kind, err := d.Decoder.Decode(data, defaults, into)
	if err == nil {
		return decoded, kind, nil
	}
	repaired, ok := d.repair(data)
	if !ok {
		return decoded, kind, err
	}
	if into != nil {
		// Or what has been decoded of the fields that are left out would stay.
		reflect.ValueOf(into).Elem().SetZero()
	}
	return d.Decoder.Decode(repaired, defaults, into)
}

// repair takes out of an object, or of those in a list, what does not decode, and says whether it could.
func (d tolerantDecoder) repair(data []byte) ([]byte, bool) {
	var object rawObject
	if json.Unmarshal(data, &object) != nil {
		return nil, false
	}
	for i, item := range object.Items {
		if _, _, err := d.Decoder.Decode(item, nil, nil); err == nil {
			continue
		}
		repaired, ok := d.repair(item)
		if !ok {
			return nil, false
		}
		object.Items[i] = repaired
	}
	d.repairFields(&object, "spec", object.Spec)
	// What is not in the status is written anew by the next pass over the object.
	d.repairFields(&object, "status", object.Status)
	repaired, err := json.Marshal(object)
	return repaired, err == nil
}

func (d tolerantDecoder) repairFields(object *rawObject, section string, fields map[string]json.RawMessage) {
	for name, value := range fields {
		err := d.try(object, section, name, value)
		if err == nil {
			continue
		}
		var meta struct{ Namespace, Name string }
		_ = json.Unmarshal(object.Metadata, &meta) // Empty names say as much.
		delete(fields, name)
		instead := "nothing"
		if durationPattern.Match(value) {
			instead = longest.String()
			fields[name] = json.RawMessage(`"` + instead + `"`)
		}
		d.log.Error(errors.New(controller.Cut(err.Error(), maxDecodeError)), "Cannot read a field of an object", "kind", object.Kind, "namespace", meta.Namespace, "name", meta.Name,
			"field", section+"."+name, "readAs", instead)
	}
}

// try decodes an object that has nothing but one field.
func (d tolerantDecoder) try(object *rawObject, section, name string, value json.RawMessage) error {
	data, err := json.Marshal(map[string]any{
		"apiVersion": object.APIVersion, "kind": object.Kind, section: map[string]json.RawMessage{name: value},
	})
	if err != nil {
		return err
	}
	_, _, err = d.Decoder.Decode(data, nil, nil)
	return err
}
