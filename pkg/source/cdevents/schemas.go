package cdevents

import (
	"embed"
	"encoding/json"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// base is where the schemas of version 0.4.1 have their names.
const base = "https://cdevents.dev/0.4.1/schema/"

// files are those of https://github.com/cdevents/spec/tree/v0.4.1/schemas, under the same licence as this module. The SDK of
// CDEvents has them too, but compiles all schemas of all versions at each start, which takes 33 MB and, for a controller
// without a Receiver of this type, is for nothing.
//
//go:embed schemas
var files embed.FS

// schemas are compiled when the first event of their type comes. It is safe for concurrent use.
type schemas struct {
	mu       sync.Mutex
	compiler *jsonschema.Compiler
	compiled map[string]*jsonschema.Schema
}

func newSchemas() *schemas {
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(loader{})
	return &schemas{compiler: compiler, compiled: map[string]*jsonschema.Schema{}}
}

// find returns the schema with a name such as change-merged-event, or nil.
func (s *schemas) find(name string) *jsonschema.Schema {
	s.mu.Lock()
	defer s.mu.Unlock()
	if schema, ok := s.compiled[name]; ok {
		return schema
	}
	schema, err := s.compiler.Compile(base + name)
	if err != nil {
		return nil // There is none: the files that there are all compile.
	}
	s.compiled[name] = schema
	return schema
}

// loader reads schemas from the files, for the compiler.
type loader struct{}

// Load implements [jsonschema.URLLoader].
func (loader) Load(url string) (any, error) {
	text, err := files.ReadFile("schemas/" + strings.TrimPrefix(url, base) + ".json")
	if err != nil {
		return nil, err
	}
	var schema any
	err = json.Unmarshal(text, &schema)
	open(schema)
	return schema, err
}

// open has a schema let pass what a program that knows this version of the specification does: fields that it does not
// know, and an empty text in a field that could be missing as well.
func open(schema any) {
	switch s := schema.(type) {
	case []any:
		for _, item := range s {
			open(item)
		}
	case map[string]any:
		if s["additionalProperties"] == false {
			delete(s, "additionalProperties")
		}
		required, _ := s["required"].([]any)
		properties, _ := s["properties"].(map[string]any)
		for name, property := range properties {
			if text, ok := property.(map[string]any); ok && !slices.Contains(required, any(name)) {
				delete(text, "minLength")
				if values, ok := text["enum"].([]any); ok {
					text["enum"] = append(values, "")
				}
			}
		}
		for _, value := range s {
			open(value)
		}
	}
}
