package event

import (
	"maps"
	"slices"
	"strings"
)

// Clean returns the metadata that is kept on arrival: the entries of the object's controller (prefixed with the
// object's API group) and the common ones, without checksums, which change more often than what they describe.
// The result is nil when nothing is kept.
func Clean(e *Event) map[string]string {
	prefix := e.groupKey("")
	kept := make(map[string]string, len(e.Metadata))
	for key, value := range e.Metadata {
		if !strings.HasPrefix(key, CommonPrefix) && !strings.HasPrefix(key, prefix) {
			continue
		}
		if strings.EqualFold(key, prefix+KeyChecksum) || strings.EqualFold(key, prefix+KeyDigest) {
			continue
		}
		kept[key] = value
	}
	if len(kept) == 0 {
		return nil
	}
	return kept
}

// DropInternal removes from cleaned metadata what serves only deduplication.
func (e *Event) DropInternal() { delete(e.Metadata, e.groupKey(KeyToken)) }

// Names of the sources of metadata, as reported in conflicts.
const (
	SourceAnnotations   = "involved object annotations"
	SourceEventMetadata = "Alert object .spec.eventMetadata"
	SourceSummary       = "Alert object .spec.summary"
	SourceController    = "involved object controller metadata"
)

// Merge combines, from lowest to highest precedence, the common entries of the event's metadata (annotations of the
// object), the Alert's metadata and summary, and the entries of the object's controller; prefixes are removed.
// The second result maps each key that has several sources to their names, in order of precedence; it is nil when
// there is no such key.
func Merge(e *Event, alertMetadata map[string]string, alertSummary string) (map[string]string, map[string]string) {
	var annotations, controller map[string]string
	prefix := e.groupKey("")
	for key, value := range e.Metadata {
		// A key has the controller's prefix or the common one; an object of the common group counts as both.
		if name, ok := strings.CutPrefix(key, CommonPrefix); ok {
			annotations = put(annotations, name, value)
		}
		if name, ok := strings.CutPrefix(key, prefix); ok {
			controller = put(controller, name, value)
		}
	}
	var summary map[string]string
	if alertSummary != "" {
		summary = map[string]string{KeySummary: alertSummary}
	}

	merged := make(map[string]string, len(e.Metadata)+len(alertMetadata)+1)
	sources := map[string][]string{}
	for _, layer := range []struct {
		name    string
		entries map[string]string
	}{
		{SourceAnnotations, annotations},
		{SourceEventMetadata, alertMetadata},
		{SourceSummary, summary},
		{SourceController, controller},
	} {
		for key := range layer.entries {
			sources[key] = append(sources[key], layer.name)
		}
		maps.Copy(merged, layer.entries)
	}

	var conflicts map[string]string
	for key, names := range sources {
		if len(names) > 1 {
			conflicts = put(conflicts, key, strings.Join(names, ", "))
		}
	}
	if len(merged) == 0 {
		return nil, nil
	}
	return merged, conflicts
}

func put(m map[string]string, key, value string) map[string]string {
	if m == nil {
		m = map[string]string{}
	}
	m[key] = value
	return m
}

// SortedKeys returns the keys of metadata in the order in which they are shown.
func SortedKeys[V any](metadata map[string]V) []string {
	return slices.Sorted(maps.Keys(metadata))
}
