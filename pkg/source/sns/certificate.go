package sns

import (
	"context"
	"crypto"
	"crypto/rsa"
	"crypto/sha1" //nolint:gosec // What SNS signs with unless the topic is told otherwise.
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"net/http"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"github.com/notification-controller/notification-controller/pkg/httpx"
	"github.com/notification-controller/notification-controller/pkg/source"
)

const (
	// fetchLimit is how long it may take to fetch a certificate.
	fetchLimit = 5 * time.Second
	// maxCertificate is the longest document that is read. SNS' are of 2 KB.
	maxCertificate = 64 << 10
	// maxCertificates is how many certificates are kept. A topic has one at a time.
	maxCertificates = 8
	// fetchEvery and fetchBurst are how often certificates are fetched at most, whatever callers send.
	fetchEvery = 10 * time.Second
	fetchBurst = 3
)

// certificates keeps those of one Receiver, by address. Who has issued them is not looked at: the documents have no
// chain, and that they are SNS' is said by the host that they come from, over TLS.
type certificates struct {
	client *http.Client
	now    func() time.Time
	limit  *rate.Limiter
	// turn is taken by whoever fetches, so that all that wait for a certificate fetch it once.
	turn chan struct{}

	mu   sync.Mutex
	kept map[string]*x509.Certificate
}

func newCertificates(client *http.Client, now func() time.Time) *certificates {
	return &certificates{
		client: client, now: now,
		limit: rate.NewLimiter(rate.Every(fetchEvery), fetchBurst),
		turn:  make(chan struct{}, 1),
		kept:  map[string]*x509.Certificate{},
	}
}

// get returns the certificate at an address, which is fetched once.
func (c *certificates) get(ctx context.Context, address string) (*x509.Certificate, error) {
	certificate, err := c.find(ctx, address)
	if err != nil {
		return nil, source.Unavailable("the certificate of SNS cannot be had: %v", err)
	}
	if now := c.now(); now.Before(certificate.NotBefore) || now.After(certificate.NotAfter) {
		return nil, source.Unauthenticated("the certificate has expired, or is not valid yet")
	}
	return certificate, nil
}

func (c *certificates) find(ctx context.Context, address string) (*x509.Certificate, error) {
	if certificate := c.cached(address); certificate != nil {
		return certificate, nil
	}
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if certificate := c.cached(address); certificate != nil {
		return certificate, nil
	}
	if !c.limit.AllowN(c.now(), 1) {
		return nil, errors.New("too many have been asked for")
	}
	certificate, err := fetch(ctx, c.client, address)
	if err != nil {
		return nil, err
	}
	c.keep(address, certificate)
	return certificate, nil
}

func (c *certificates) cached(address string) *x509.Certificate {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.kept[address]
}

func (c *certificates) keep(address string, certificate *x509.Certificate) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.kept) >= maxCertificates {
		clear(c.kept)
	}
	c.kept[address] = certificate
}

func fetch(ctx context.Context, client *http.Client, address string) (*x509.Certificate, error) {
	ctx, cancel := context.WithTimeout(ctx, fetchLimit)
	defer cancel()
	document, err := httpx.Get(ctx, client, address, maxCertificate)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(document)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("the answer is not a certificate in PEM")
	}
	return x509.ParseCertificate(block.Bytes)
}

// checkSignature verifies a signature of version 1 (SHA1withRSA) or 2 (SHA256withRSA).
func checkSignature(certificate *x509.Certificate, version string, signed, signature []byte) error {
	key, ok := certificate.PublicKey.(*rsa.PublicKey)
	if !ok {
		return source.Unauthenticated("the certificate has no RSA key")
	}
	var (
		hash   crypto.Hash
		digest []byte
	)
	switch version {
	case "1":
		sum := sha1.Sum(signed)
		hash, digest = crypto.SHA1, sum[:]
	case "2":
		sum := sha256.Sum256(signed)
		hash, digest = crypto.SHA256, sum[:]
	default:
		return source.Unauthenticated("the signature is of a version that is not known")
	}
	if rsa.VerifyPKCS1v15(key, hash, digest, signature) != nil {
		return source.Unauthenticated("the signature is not the one that belongs to the message")
	}
	return nil
}
