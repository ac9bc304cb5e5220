package httpx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/provider"
)

func TestRedirects(t *testing.T) {
	for _, test := range []struct {
		method string
		// body goes with a request.
		body   string
		status int
		// home and elsewhere say whether a redirect is followed on the same host, and to another one.
		home, elsewhere bool
	}{
		{http.MethodPost, "body", 301, false, false},
		{http.MethodPost, "body", 302, false, false},
		{http.MethodPost, "body", 303, false, false},
		{http.MethodPost, "body", 307, true, false},
		{http.MethodPost, "body", 308, true, false},
		{http.MethodPost, "", 307, true, true},
		{http.MethodPut, "body", 301, false, false},
		{http.MethodPut, "body", 307, true, false},
		{http.MethodGet, "", 301, true, true},
		{http.MethodGet, "", 307, true, true},
	} {
		for _, away := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s %q %d away %t", test.method, test.body, test.status, away), func(t *testing.T) {
				var second string
				var location, credential string
				address := serve(t, func(w http.ResponseWriter, r *http.Request) {
					if r.URL.Path == "/secret" {
						w.Header().Set("Location", location)
						w.WriteHeader(test.status)
						return
					}
					body, _ := io.ReadAll(r.Body)
					second = fmt.Sprintf("%s %q Referer %q Authorization %q", r.Method, body, r.Header.Get("Referer"), r.Header.Get("Authorization"))
				})
				followed := test.home
				location, credential = address, "secret"
				if away {
					// Another name for the same host, so that it is another host.
					location, credential = strings.Replace(address, "127.0.0.1", "localhost", 1), ""
					followed = test.elsewhere
				}
				_, err := Send(t.Context(), client(t, Options{}), Request{
					Method: test.method, URL: address + "/secret", Header: http.Header{"Authorization": {"secret"}}, Body: []byte(test.body),
				})
				want := ""
				if followed {
					want = fmt.Sprintf("%s %q Referer %q Authorization %q", test.method, test.body, "", credential)
				} else if err == nil || provider.Classify(err).Reason != provider.ReasonRedirect || provider.Classify(err).Kind != provider.Permanent {
					t.Errorf("not a permanent error: %v", err)
				}
				if followed && err != nil {
					t.Errorf("Send: %v", err)
				}
				if second != want {
					t.Errorf("the next server got %q, want %q", second, want)
				}
			})
		}
	}
}

// TestRedirectKeepsCredentials finds credentials that follow a redirect to another host, and those that do not
// follow one on the same host.
func TestRedirectKeepsCredentials(t *testing.T) {
	var got http.Header
	record := func(w http.ResponseWriter, r *http.Request) { got = r.Header.Clone() }
	elsewhere := strings.Replace(serve(t, record), "127.0.0.1", "localhost", 1)
	mux := http.NewServeMux()
	redirect := func(from, to string) {
		mux.HandleFunc(from, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, to, http.StatusTemporaryRedirect) })
	}
	address := serve(t, mux.ServeHTTP)
	redirect("/stay", "/home")
	redirect("/away", elsewhere)
	redirect("/there-and-back", strings.Replace(address, "127.0.0.1", "localhost", 1)+"/back")
	redirect("/back", address+"/home")
	mux.HandleFunc("/home", record)

	credentials := []string{"Authorization", "Cookie", "Dd-Api-Key", "Private-Token", "X-Api-Key"}
	for from, kept := range map[string]bool{"/home": true, "/stay": true, "/away": false, "/there-and-back": false} {
		header := http.Header{"Accept": {"text/plain"}, "User-Agent": {"u"}}
		for _, name := range credentials {
			header.Set(name, "secret")
		}
		if _, err := Send(t.Context(), client(t, Options{}), Request{Method: http.MethodGet, URL: address + from, Header: header}); err != nil {
			t.Errorf("%s: %v", from, err)
		}
		for _, name := range credentials {
			if (got.Get(name) != "") != kept {
				t.Errorf("%s: header %s is %q", from, name, got.Get(name))
			}
		}
		if got.Get("Accept") != "text/plain" || got.Get("User-Agent") != "u" {
			t.Errorf("%s: headers %v", from, got)
		}
	}
}

func TestNoRedirectFromHTTPSToHTTP(t *testing.T) {
	address := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("redirected") })
	server := httptest.NewTLSServer(http.RedirectHandler(address, http.StatusTemporaryRedirect))
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	_, err := Send(t.Context(), client(t, Options{TLS: &tls.Config{RootCAs: roots}}), Request{URL: server.URL, Body: []byte("x")})
	if err == nil || provider.Classify(err).Reason != provider.ReasonRedirect {
		t.Errorf("not an error about a redirect: %v", err)
	}
}

func TestRedirectLoop(t *testing.T) {
	requests := 0
	address := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		requests++
		w.Header().Set("Location", "/")
		w.WriteHeader(http.StatusTemporaryRedirect)
	})
	_, err := Send(t.Context(), client(t, Options{}), Request{URL: address})
	if err == nil || provider.Classify(err).Kind != provider.Permanent || requests != maxRedirects {
		t.Errorf("%d requests: %v", requests, err)
	}
}

func TestTLSConfig(t *testing.T) {
	server := httptest.NewTLSServer(nil)
	server.Close()
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	cert, key := pair(t)
	_, otherKey := pair(t)
	for _, test := range []struct {
		name          string
		ca, cert, key []byte
		says          string
	}{
		{"CA", ca, nil, nil, ""},
		{"pair", nil, cert, key, ""},
		{"all", ca, cert, key, ""},
		{"two CAs", append(append([]byte{}, ca...), cert...), nil, nil, ""},
		{"nothing", nil, nil, nil, "neither a CA nor a certificate"},
		{"empty", []byte{}, []byte{}, []byte{}, "neither a CA nor a certificate"},
		{"no key", ca, cert, nil, "a certificate without its key"},
		{"no certificate", ca, nil, key, "a key without its certificate"},
		{"other key", nil, cert, otherKey, "do not make a pair"},
		{"no PEM", nil, []byte("planted"), []byte("planted"), "do not make a pair"},
		{"CA is no PEM", []byte("planted"), nil, nil, "the CA is not a PEM certificate"},
		{"CA is a key", key, nil, nil, "the CA is not a PEM certificate"},
	} {
		t.Run(test.name, func(t *testing.T) {
			config, err := TLSConfig(test.ca, test.cert, test.key)
			if test.says != "" {
				if err == nil || config != nil || !strings.Contains(err.Error(), test.says) || strings.Contains(err.Error(), "planted") {
					t.Errorf("config %v, error %v, want one that says %q", config, err, test.says)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if config.MinVersion != tls.VersionTLS12 || config.InsecureSkipVerify || config.ServerName != "" {
				t.Errorf("version %d, insecure %t, name %q", config.MinVersion, config.InsecureSkipVerify, config.ServerName)
			}
			if (config.RootCAs != nil) != (test.ca != nil) || (len(config.Certificates) == 1) != (test.cert != nil) {
				t.Errorf("roots %v, %d certificates", config.RootCAs, len(config.Certificates))
			}
		})
	}
}

func pair(t *testing.T) (cert, key []byte) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: time.Now(), NotAfter: time.Now().Add(time.Hour)}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return cert, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
}
