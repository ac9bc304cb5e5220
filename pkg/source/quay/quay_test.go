package quay_test

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/quay"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// body is the sample of spec/receivers.md §5.9.
const body = `{"docker_url":"quay.io/acme/shop","updated_tags":["1.2.3"]}`

func TestVerify(t *testing.T) {
	sourcetest.RunPathOnly(t, quay.Type(), body, map[string]string{
		"URL":  `{"docker_url":[]}`,
		"tags": `{"updated_tags":{"latest":"b750fe79"}}`,
	})
}

func FuzzVerify(f *testing.F) { sourcetest.FuzzPathOnly(f, quay.Type(), body) }
