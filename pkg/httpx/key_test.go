package httpx

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// rsaKey has a modulus and a prime of some bits. It is no key, which takes long to generate, but written as one.
func rsaKey(t *testing.T, modulus, prime uint) []byte {
	t.Helper()
	number := func(bits uint) *big.Int { return new(big.Int).Lsh(big.NewInt(1), bits-1) }
	der, err := asn1.Marshal(struct {
		Version int
		N       *big.Int
		E       int
		D, P, Q *big.Int
	}{0, number(modulus), 65537, number(modulus), number(prime), number(prime)})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// wrapped is a key in the form of PKCS #8.
func wrapped(t *testing.T, key []byte) []byte {
	t.Helper()
	type algorithm struct {
		ID   asn1.ObjectIdentifier
		None asn1.RawValue
	}
	der, err := asn1.Marshal(struct {
		Version   int
		Algorithm algorithm
		Key       []byte
	}{0, algorithm{asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 1}, asn1.NullRawValue}, key})
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func inPEM(name string, der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: name, Bytes: der})
}

func TestCheckPrivateKey(t *testing.T) {
	good, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	goodPKCS8, err := x509.MarshalPKCS8PrivateKey(good)
	if err != nil {
		t.Fatal(err)
	}
	curve, err := ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	goodEC, err := x509.MarshalECPrivateKey(curve)
	if err != nil {
		t.Fatal(err)
	}
	const bits, bytes = "the RSA key has 8193 bits, but at most 8192 are allowed", "bytes, but at most 8192 are allowed"
	cert, ecPKCS8 := pair(t)
	for _, tt := range []struct {
		name string
		text []byte
		says string
	}{
		{"PKCS #1", inPEM("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(good)), ""},
		{"PKCS #8", inPEM("PRIVATE KEY", goodPKCS8), ""},
		{"EC", inPEM("EC PRIVATE KEY", goodEC), ""},
		{"EC in PKCS #8", ecPKCS8, ""},
		{"certificate and key", slices.Concat(cert, ecPKCS8), ""},
		{"the longest", inPEM("RSA PRIVATE KEY", rsaKey(t, 8192, 4096)), ""},
		{"too long", inPEM("RSA PRIVATE KEY", rsaKey(t, 8193, 4096)), bits},
		{"too long in PKCS #8", inPEM("PRIVATE KEY", wrapped(t, rsaKey(t, 8193, 4096))), bits},
		{"too long, with the name of the other form", inPEM("RSA PRIVATE KEY", wrapped(t, rsaKey(t, 8193, 4096))), bits},
		{"too long, with another name", inPEM("CERTIFICATE", rsaKey(t, 8193, 4096)), bits},
		{"too long, after others", slices.Concat(cert, ecPKCS8, inPEM("RSA PRIVATE KEY", rsaKey(t, 8193, 4096))), bits},
		{"much too long", inPEM("RSA PRIVATE KEY", rsaKey(t, 65536, 32768)), bytes},
		{"primes that are too long", inPEM("RSA PRIVATE KEY", rsaKey(t, 2048, 100_000)), bytes},
		{"no key", inPEM("PRIVATE KEY", []byte("planted")), ""},
		{"no PEM", []byte("planted"), ""},
		{"nothing", nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			err := CheckPrivateKey(tt.text)
			if (err == nil) != (tt.says == "") || err != nil && !strings.HasSuffix(err.Error(), tt.says) {
				t.Errorf("got %v, want %q", err, tt.says)
			}
			if _, err := TLSConfig(nil, cert, tt.text); tt.says != "" && (err == nil || !strings.HasSuffix(err.Error(), tt.says)) {
				t.Errorf("TLSConfig: got %v, want %q", err, tt.says)
			}
		})
	}
}
