// Package snstest stands for Amazon SNS in tests: it signs messages, and answers for all of its hosts.
package snstest

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // As SNS does.
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/notification-controller/notification-controller/pkg/source/oidctest"
)

// CertificateURL is where the certificate is.
const CertificateURL = "https://sns.us-west-2.amazonaws.com/SimpleNotificationService-f3ecfb7224c7233fe7bb5f59f96de52f.pem"

// Service signs messages, and answers with its certificate whatever it is asked for.
type Service struct {
	key         *rsa.PrivateKey
	certificate []byte

	mu       sync.Mutex
	requests []string
	answer   http.HandlerFunc
}

// New returns a service whose certificate is valid for a year around a time.
func New(t testing.TB, at time.Time) *Service {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "sns.amazonaws.com"},
		NotBefore: at.AddDate(0, -6, 0), NotAfter: at.AddDate(0, 6, 0),
	}
	certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return &Service{key: key, certificate: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: certificate})}
}

// Client returns a client whose every request reaches the service, without a network.
func (s *Service) Client() *http.Client { return oidctest.Client(s) }

// Answer replaces all answers, or gives them back with nil.
func (s *Service) Answer(with http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answer = with
}

// Requests are the URLs that have been asked for since the last call.
func (s *Service) Requests() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	requests := s.requests
	s.requests = nil
	return requests
}

// ServeHTTP implements [http.Handler].
func (s *Service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.requests = append(s.requests, r.URL.String())
	answer := s.answer
	s.mu.Unlock()
	if answer != nil {
		answer(w, r)
		return
	}
	_, _ = w.Write(s.certificate)
}

// Sign adds to a message where the certificate is, unless it says so, and the signature of a text, made as
// SignatureVersion says. It returns the body of the call.
func (s *Service) Sign(t testing.TB, message map[string]string, text string) []byte {
	t.Helper()
	if message["SigningCertURL"] == "" {
		message["SigningCertURL"] = CertificateURL
	}
	hash, digest := crypto.SHA1, sha1.Sum([]byte(text)) //nolint:gosec // As SNS does.
	sum := digest[:]
	if message["SignatureVersion"] == "2" {
		longer := sha256.Sum256([]byte(text))
		hash, sum = crypto.SHA256, longer[:]
	}
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, hash, sum)
	if err != nil {
		t.Fatal(err)
	}
	message["Signature"] = base64.StdEncoding.EncodeToString(signature)
	body, err := json.Marshal(message)
	if err != nil {
		t.Fatal(err)
	}
	return body
}
