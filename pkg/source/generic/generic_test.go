package generic_test

import (
	"net/http"
	"testing"

	"github.com/notification-controller/notification-controller/pkg/source"
	"github.com/notification-controller/notification-controller/pkg/source/generic"
)

func TestVerify(t *testing.T) {
	for _, body := range []string{`{"image":"registry.example.com/shop:1.2.3"}`, "not JSON", ""} {
		result, err := generic.Type().Verifier.Verify(t.Context(), &source.Request{Header: http.Header{}, Body: []byte(body)},
			map[string][]byte{source.TokenKey: []byte("s3cr3t-webhook-token")})
		if err != nil || string(result.Payload) != body || result.Event != "" {
			t.Errorf("%q: got %+v, %v", body, result, err)
		}
	}
}
