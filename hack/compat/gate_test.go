package compat

import (
	"net/http"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/notification-controller/notification-controller/pkg/apis/notification"
)

// heldBack returns a client configuration with which nothing of our API group can be read until release is called.
func heldBack(c *cluster) (config *rest.Config, release func()) {
	open := make(chan struct{})
	config = c.Config()
	config.Wrap(func(next http.RoundTripper) http.RoundTripper { return gate{open, next} })
	return config, sync.OnceFunc(func() { close(open) })
}

type gate struct {
	open <-chan struct{}
	next http.RoundTripper
}

func (g gate) RoundTrip(r *http.Request) (*http.Response, error) {
	if strings.HasPrefix(r.URL.Path, "/apis/"+notification.GroupName+"/") {
		select {
		case <-g.open:
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	return g.next.RoundTrip(r)
}
