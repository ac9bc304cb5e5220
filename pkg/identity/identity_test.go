package identity

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-jose/go-jose/v4"
	"github.com/go-jose/go-jose/v4/jwt"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

// cloud stands for all services that exchange tokens, and writes down what it is asked.
type cloud struct {
	*httptest.Server
	asked []string
	// refuse is a status to answer instead; 0 means none.
	refuse int
}

func newCloud(t *testing.T) *cloud {
	c := &cloud{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if err := r.ParseForm(); err != nil {
			t.Error(err)
		}
		asked := r.URL.Path
		for _, name := range []string{
			"audience", "scope", "client_id", "client_secret", "client_assertion", "subject_token", "resource", "subject_token_type",
		} {
			if value := r.Form.Get(name); value != "" {
				asked += " " + name + "=" + value
			}
		}
		for _, name := range []string{"Authorization", "Metadata", "Metadata-Flavor"} {
			if value := r.Header.Get(name); value != "" {
				asked += " " + name + ": " + value
			}
		}
		c.asked = append(c.asked, asked)
		switch {
		case c.refuse != 0:
			http.Error(w, `{"error":"invalid_client","error_description":"`+asked+`"}`, c.refuse)
		case strings.HasPrefix(r.URL.Path, "/metadata/"):
			fmt.Fprint(w, `{"access_token":"machine-token","expires_in":"3599"}`)
		case strings.HasPrefix(r.URL.Path, "/computeMetadata/"):
			fmt.Fprint(w, "the-"+filepath.Base(r.URL.Path))
		case strings.HasSuffix(r.URL.Path, ":generateAccessToken"):
			fmt.Fprintf(w, `{"accessToken":"impersonated-token","expireTime":%q}`, time.Now().Add(time.Hour).Format(time.RFC3339))
		default:
			fmt.Fprint(w, `{"access_token":"login-token","expires_in":3599}`)
		}
	}))
	t.Cleanup(c.Close)
	return c
}

// identityOf returns the identity of a Provider that names a ServiceAccount, which may have annotations.
func identityOf(t *testing.T, c *cloud, account string, annotations, env map[string]string) provider.Identity {
	client := fake.NewSimpleClientset(&corev1.ServiceAccount{
		ObjectMeta: metav1.ObjectMeta{Namespace: "apps", Name: "deployer", Annotations: annotations},
	})
	client.PrependReactor("create", "serviceaccounts", func(action clienttesting.Action) (bool, runtime.Object, error) {
		request, _ := action.(clienttesting.CreateAction).GetObject().(*authenticationv1.TokenRequest)
		if annotations["forbidden"] != "" {
			return true, nil, apierrors.NewForbidden(corev1.Resource("serviceaccounts/token"), "deployer", nil)
		}
		request = request.DeepCopy()
		request.Status.Token = "account-token-for-" + request.Spec.Audiences[0]
		return true, request, nil
	})
	b := New(Options{
		Accounts: client.CoreV1(), MaxTokens: 10, MaxAge: time.Hour,
		Endpoints: Endpoints{AzureMetadata: c.URL, GoogleTokens: c.URL, GoogleCredentials: c.URL, GoogleMetadata: c.URL},
		Getenv: func(name string) string {
			if name == envAzureAuthority {
				return c.URL + "/"
			}
			return env[name]
		},
	})
	direct := httpx.NewClient(httpx.Options{})
	t.Cleanup(direct.CloseIdleConnections)
	return b.For(provider.Object{Namespace: "apps", Name: "prov"}, account, direct, "")
}

func TestAzure(t *testing.T) {
	annotated := map[string]string{annotationAzureTenant: "tenant-1", annotationAzureClient: "client-1"}
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("federated-token\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct {
		account     string
		annotations map[string]string
		env         map[string]string
		want, asked string
	}{
		"service account": {
			"deployer", annotated, map[string]string{envAzureSecret: "s", envAzureTenant: "t", envAzureClient: "c"}, "login-token",
			"/tenant-1/oauth2/v2.0/token scope=the-scope/.default client_id=client-1 client_assertion=account-token-for-api://AzureADTokenExchange",
		},
		"secret": {
			"", nil, map[string]string{envAzureTenant: "t", envAzureClient: "c", envAzureSecret: "client-secret"}, "login-token",
			"/t/oauth2/v2.0/token scope=the-scope/.default client_id=c client_secret=client-secret",
		},
		"workload identity": {
			"", nil, map[string]string{envAzureTenant: "t", envAzureClient: "c", envAzureTokenFile: file}, "login-token",
			"/t/oauth2/v2.0/token scope=the-scope/.default client_id=c client_assertion=federated-token",
		},
		"machine": {"", nil, nil, "machine-token", "/metadata/identity/oauth2/token resource=the-scope Metadata: true"},
		"one of the machine's": {
			"", nil, map[string]string{envAzureClient: "c"}, "machine-token",
			"/metadata/identity/oauth2/token client_id=c resource=the-scope Metadata: true",
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			i := identityOf(t, c, test.account, test.annotations, test.env)
			for range 2 {
				if token, err := i.Azure(t.Context(), "the-scope/.default"); err != nil || token != test.want {
					t.Errorf("got %q, %v", token, err)
				}
			}
			if len(c.asked) != 1 || c.asked[0] != test.asked {
				t.Errorf("asked %q, want %q", c.asked, test.asked)
			}
		})
	}
}

// TestAzureCertificate checks the assertion with the certificate's own key.
func TestAzureCertificate(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "pair.pem")
	both := append(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})...)
	if err := os.WriteFile(file, both, 0o600); err != nil {
		t.Fatal(err)
	}
	c := newCloud(t)
	i := identityOf(t, c, "", nil, map[string]string{envAzureTenant: "t", envAzureClient: "c", envAzureCertificate: file})
	if _, err := i.Azure(t.Context(), "s/.default"); err != nil {
		t.Fatal(err)
	}
	_, assertion, _ := strings.Cut(c.asked[0], "client_assertion=")
	parsed, err := jwt.ParseSigned(assertion, []jose.SignatureAlgorithm{jose.RS256})
	if err != nil {
		t.Fatal(err)
	}
	var claims jwt.Claims
	if err := parsed.Claims(&key.PublicKey, &claims); err != nil {
		t.Fatal(err)
	}
	expected := jwt.Expected{Issuer: "c", Subject: "c", AnyAudience: jwt.Audience{c.URL + "/t/oauth2/v2.0/token"}, Time: time.Now()}
	if err := claims.Validate(expected); err != nil || parsed.Headers[0].ExtraHeaders["x5t"] == "" {
		t.Errorf("%v: %+v", err, parsed.Headers)
	}

	for _, wrong := range []string{filepath.Join(t.TempDir(), "missing"), os.DevNull} {
		i := identityOf(t, c, "", nil, map[string]string{envAzureTenant: "t", envAzureClient: "c", envAzureCertificate: wrong})
		if _, err := i.Azure(t.Context(), "s"); provider.Classify(err).Kind != provider.Permanent || !strings.Contains(err.Error(), envAzureCertificate) {
			t.Errorf("%s: %v", wrong, err)
		}
	}
}

func TestGoogle(t *testing.T) {
	const pool = "projects/1/locations/global/workloadIdentityPools/p/providers/q"
	scopes := "scope=" + scopeCloudPlatform + " " + scopeEmail
	exchange := func(audience, subject string) string {
		return "/v1/token audience=" + audience + " " + scopes + " subject_token=account-token-for-" + subject +
			" subject_token_type=urn:ietf:params:oauth:token-type:jwt"
	}
	for name, test := range map[string]struct {
		annotations map[string]string
		want        string
		asked       []string
	}{
		"federation": {
			map[string]string{annotationGoogleProvider: pool}, "login-token",
			[]string{exchange("//iam.googleapis.com/"+pool, "//iam.googleapis.com/"+pool)},
		},
		"impersonation": {
			map[string]string{annotationGoogleProvider: pool, annotationGoogleAccount: "robot@x.iam.gserviceaccount.com"}, "impersonated-token",
			[]string{
				exchange("//iam.googleapis.com/"+pool, "//iam.googleapis.com/"+pool),
				"/v1/projects/-/serviceAccounts/robot@x.iam.gserviceaccount.com:generateAccessToken Authorization: Bearer login-token",
			},
		},
		"GKE": {
			nil, "login-token",
			[]string{
				"/computeMetadata/v1/project/project-id Metadata-Flavor: Google",
				"/computeMetadata/v1/instance/attributes/cluster-location Metadata-Flavor: Google",
				"/computeMetadata/v1/instance/attributes/cluster-name Metadata-Flavor: Google",
				exchange("identitynamespace:the-project-id.svc.id.goog:https://container.googleapis.com/v1/projects/the-project-id/locations/the-cluster-location/clusters/the-cluster-name",
					"the-project-id.svc.id.goog"),
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			i := identityOf(t, c, "deployer", test.annotations, nil)
			for range 2 {
				if token, err := i.Google(t.Context()); err != nil || token != test.want {
					t.Errorf("got %q, %v", token, err)
				}
			}
			if strings.Join(c.asked, "\n") != strings.Join(test.asked, "\n") {
				t.Errorf("asked\n%s\nwant\n%s", strings.Join(c.asked, "\n"), strings.Join(test.asked, "\n"))
			}
		})
	}
}

// TestRefusals checks what is said of what only an edit can mend, and that no token is in it.
func TestRefusals(t *testing.T) {
	annotated := map[string]string{annotationAzureTenant: "t", annotationAzureClient: "c", annotationGoogleProvider: "p"}
	azure := func(t *testing.T, i provider.Identity) error { _, err := i.Azure(t.Context(), "s"); return err }
	googleToken := func(t *testing.T, i provider.Identity) error { _, err := i.Google(t.Context()); return err }
	for name, test := range map[string]struct {
		account     string
		annotations map[string]string
		refuse      int
		get         func(*testing.T, provider.Identity) error
		kind        provider.Kind
		says        string
	}{
		"no such account":    {"missing", nil, 0, azure, provider.Permanent, "no ServiceAccount 'apps/missing'"},
		"no tenant":          {"deployer", map[string]string{annotationAzureClient: "c"}, 0, azure, provider.Permanent, annotationAzureTenant},
		"no client":          {"deployer", map[string]string{annotationAzureTenant: "c"}, 0, azure, provider.Permanent, annotationAzureClient},
		"forbidden":          {"deployer", map[string]string{annotationAzureTenant: "t", annotationAzureClient: "c", "forbidden": "yes"}, 0, azure, provider.Permanent, "manifests/workload-identity"},
		"refused":            {"deployer", annotated, 401, azure, provider.Permanent, "invalid_client"},
		"refused by Google":  {"deployer", annotated, 400, googleToken, provider.Permanent, "invalid_client"},
		"down":               {"deployer", annotated, 503, azure, provider.Transient, "503"},
		"Google is down":     {"deployer", annotated, 503, googleToken, provider.Transient, "503"},
		"no identity at all": {"", nil, 404, azure, provider.Permanent, "spec.serviceAccountName"},
		"neither nor GKE":    {"deployer", nil, 404, googleToken, provider.Permanent, annotationGoogleProvider},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCloud(t)
			c.refuse = test.refuse
			err := test.get(t, identityOf(t, c, test.account, test.annotations, nil))
			if err == nil || provider.Classify(err).Kind != test.kind || !strings.Contains(err.Error(), test.says) {
				t.Errorf("got %v, want one that says %q", err, test.says)
			}
			if err != nil && strings.Contains(err.Error(), "account-token") {
				t.Errorf("the error shows a token: %v", err)
			}
		})
	}
}

// TestTokensOfOthers finds a token that is given to a Provider of another ServiceAccount.
func TestTokensOfOthers(t *testing.T) {
	b := New(Options{MaxTokens: 10, MaxAge: time.Hour, DefaultAccount: "fallback"})
	keys := map[string]bool{}
	for _, i := range []provider.Identity{
		b.For(provider.Object{Namespace: "a", Name: "p"}, "x", nil, ""),
		b.For(provider.Object{Namespace: "b", Name: "p"}, "x", nil, ""),
		b.For(provider.Object{Namespace: "a", Name: "p"}, "y", nil, ""),
		b.For(provider.Object{Namespace: "a", Name: "p"}, "x", nil, "http://proxy"),
		b.For(provider.Object{Namespace: "a", Name: "p"}, "", nil, ""),
	} {
		keys[i.(*identity).key("azure", "scope")] = true
	}
	if len(keys) != 5 {
		t.Errorf("%d keys for 5 identities", len(keys))
	}
}
