package acr_test

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/acr"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// body is the sample of spec/receivers.md §5.12.
const body = `{"action":"push","target":{"repository":"shop","tag":"1.2.3"}}`

func TestVerify(t *testing.T) {
	sourcetest.RunPathOnly(t, acr.Type(), body, map[string]string{
		"action": `{"action":true}`,
		"target": `{"target":"shop"}`,
		"tag":    `{"target":{"tag":1}}`,
	})
}

func FuzzVerify(f *testing.F) { sourcetest.FuzzPathOnly(f, acr.Type(), body) }
