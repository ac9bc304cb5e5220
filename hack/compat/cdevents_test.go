package compat

import (
	"os"
	"strings"
	"testing"

	"github.com/cdevents/sdk-go/pkg/api"
)

// TestCDEventsSchemas compares the schemas of the Receiver type "cdevents" with those in the SDK of CDEvents.
func TestCDEventsSchemas(t *testing.T) {
	const base, folder = "https://cdevents.dev/0.4.1/schema/", "../../pkg/source/cdevents/schemas/"
	compared := 0
	for id, want := range api.SchemasById {
		name, ok := strings.CutPrefix(id, base)
		if !ok {
			continue
		}
		got, err := os.ReadFile(folder + name + ".json")
		if err != nil || string(got) != want {
			t.Errorf("%s is not that of the SDK: %v", name, err)
		}
		compared++
	}
	if compared != 54 {
		t.Errorf("the SDK has %d schemas of version 0.4.1", compared)
	}
}
