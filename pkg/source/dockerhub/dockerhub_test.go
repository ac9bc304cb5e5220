package dockerhub_test

import (
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source/dockerhub"
	"github.com/notification-controller/notification-controller/pkg/source/sourcetest"
)

// body is the sample of spec/receivers.md §5.8.
const body = `{"push_data":{"tag":"1.2.3","pusher":"acme"},"repository":{"repo_url":"https://hub.docker.com/r/acme/shop"}}`

func TestVerify(t *testing.T) {
	sourcetest.RunPathOnly(t, dockerhub.Type(), body, map[string]string{
		"tag": `{"push_data":{"tag":1}}`,
		"URL": `{"repository":{"repo_url":{}}}`,
	})
}

func FuzzVerify(f *testing.F) { sourcetest.FuzzPathOnly(f, dockerhub.Type(), body) }
