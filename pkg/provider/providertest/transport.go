package providertest

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/provider"
)

func (s suite) testConnections(t *testing.T) {
	for name, handler := range map[string]http.HandlerFunc{
		"success": func(w http.ResponseWriter, r *http.Request) { s.Success(w, r) },
		"failure": failing(http.StatusInternalServerError),
		"long failure": func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusBadGateway)
			_, _ = io.WriteString(w, strings.Repeat("x", 60<<10))
		},
	} {
		t.Run(name, func(t *testing.T) {
			service := s.serve(t, handler)
			sender, _ := s.sender(t, service.URL, httpx.Options{})
			for range 50 {
				_ = s.send(t, sender)
			}
			if got := len(service.Requests()); got < 50 {
				t.Fatalf("%d requests", got)
			}
			// On a busy machine one may be lost: net/http gives up one that it could not tell the end of a request of
			// within 50 ms.
			if got := service.countConnections(); got > 3 {
				t.Errorf("%d connections for 50 notifications, want 1", got)
			}
		})
	}
}

// proxyPassword is a secret of the suite's own.
const proxyPassword = "planted-proxy-password"

func (s suite) testProxy(t *testing.T) {
	var hosts []string
	var authorized bool
	proxy := s.serve(t, func(w http.ResponseWriter, r *http.Request) {
		hosts = append(hosts, r.URL.Host)
		authorized = r.Header.Get("Proxy-Authorization") != ""
		s.Success(w, r)
	})
	sender, _ := s.sender(t, "http://service.invalid", httpx.Options{Proxy: proxyURL(t, proxy.URL)})
	if err := s.send(t, sender); err != nil {
		t.Fatalf("Send: %v", err)
	}
	if !slices.Contains(hosts, "service.invalid") || !authorized {
		t.Errorf("the proxy was asked for %v, authorized: %t", hosts, authorized)
	}
}

func proxyURL(t *testing.T, address string) *url.URL {
	u, err := url.Parse(address)
	if err != nil {
		t.Fatal(err)
	}
	u.User = url.UserPassword("proxy-user", proxyPassword)
	return u
}

func (s suite) testTLS(t *testing.T) {
	cert, key, pool := Certificate(t)
	service := unstarted(s.lookups(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 2 || len(r.TLS.PeerCertificates) != 1 {
			t.Errorf("HTTP/%d with %d certificates", r.ProtoMajor, len(r.TLS.PeerCertificates))
		}
		s.Success(w, r)
	}))
	service.EnableHTTP2 = true
	service.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	service.StartTLS()
	t.Cleanup(service.Close)
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: service.Certificate().Raw})

	t.Run("CA and certificate", func(t *testing.T) {
		config, err := httpx.TLSConfig(ca, cert, key)
		if err != nil {
			t.Fatal(err)
		}
		sender, _ := s.sender(t, service.URL, httpx.Options{TLS: config})
		if err := s.send(t, sender); err != nil {
			t.Errorf("Send: %v", err)
		}
	})
	t.Run("unknown CA", func(t *testing.T) {
		sender, cfg := s.sender(t, service.URL, httpx.Options{})
		err := s.send(t, sender)
		if err == nil || provider.Classify(err).Kind != provider.Permanent || provider.Classify(err).Reason != provider.ReasonTLS {
			t.Errorf("not a permanent error of TLS: %v", err)
		}
		checkNoSecret(t, err, cfg)
	})
}

// Certificate returns a certificate that is its own CA, in PEM, for clients and for servers at 127.0.0.1.
func Certificate(t *testing.T) (cert, key []byte, pool *x509.CertPool) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		Subject:      pkix.Name{CommonName: "notification-controller"},
		NotBefore:    time.Now().Add(-time.Hour),
		NotAfter:     time.Now().Add(time.Hour),
		IPAddresses:  []net.IP{net.IPv4(127, 0, 0, 1)},
		ExtKeyUsage:  []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth, x509.ExtKeyUsageServerAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	if err != nil {
		t.Fatal(err)
	}
	keyDER, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	cert = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	key = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER})
	pool = x509.NewCertPool()
	pool.AppendCertsFromPEM(cert)
	return cert, key, pool
}
