package identity

import (
	"context"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

// TestGoogleDefaultEndsWithItsContext has the service that gives tokens stay silent.
func TestGoogleDefaultEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		// The server sees that the client has gone only once it has read the body.
		_, _ = io.Copy(io.Discard, r.Body)
		cancel()
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
			fmt.Fprint(w, `{"access_token":"late","expires_in":3599}`)
		}
	}))
	t.Cleanup(service.Close)
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	credentials, err := json.Marshal(map[string]string{
		"type": "service_account", "client_email": "robot@x.iam.gserviceaccount.com", "token_uri": service.URL,
		"private_key": string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})),
	})
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "credentials.json")
	if err := os.WriteFile(file, credentials, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", file)
	token, err := identityOf(t, newCloud(t), "", nil, nil).Google(ctx)
	if err == nil || provider.Classify(err).Kind != provider.Transient || !strings.Contains(err.Error(), context.Canceled.Error()) {
		t.Errorf("got %q, %v", token, err)
	}
}
