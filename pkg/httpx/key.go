package httpx

import (
	"encoding/asn1"
	"encoding/pem"
	"fmt"
	"math/big"
)

const (
	// maxKeyBits is how long an RSA key may be: as long as Go's TLS takes those of others. A signature by one takes up
	// to some 100 ms, and by one of 32,768 bits ten seconds, which nothing interrupts.
	maxKeyBits = 8192
	// maxKeyBytes is how long it may be as it is written. One of maxKeyBits takes 5 KiB. What is longer has numbers in it that
	// do not belong together, which Go's parser takes minutes to find out.
	maxKeyBytes = 8 << 10
)

// CheckPrivateKey says of private keys in PEM whether an RSA key among them is too large to be used, or to be parsed. What
// else may be wrong with them it leaves to who parses them.
func CheckPrivateKey(text []byte) error {
	for block, rest := pem.Decode(text); block != nil; block, rest = pem.Decode(rest) {
		if len(block.Bytes) > maxKeyBytes {
			return fmt.Errorf("the key has %d bytes, but at most %d are allowed", len(block.Bytes), maxKeyBytes)
		}
		if n := modulus(block.Bytes); n != nil && n.BitLen() > maxKeyBits {
			return fmt.Errorf("the RSA key has %d bits, but at most %d are allowed", n.BitLen(), maxKeyBits)
		}
	}
	return nil
}

// modulus is that of an RSA key in the form of PKCS #1 or #8, or nil. Go's own functions check a key when they parse
// it, which for a large one takes seconds.
//
// Source: https://www.rfc-editor.org/rfc/rfc8017#appendix-A.1.2 and https://www.rfc-editor.org/rfc/rfc5208#section-5
func modulus(der []byte) *big.Int {
	var wrapped struct {
		Version   int
		Algorithm asn1.RawValue
		Key       []byte
	}
	if _, err := asn1.Unmarshal(der, &wrapped); err == nil {
		der = wrapped.Key
	}
	var key struct {
		Version int
		N       *big.Int
	}
	if _, err := asn1.Unmarshal(der, &key); err != nil {
		return nil
	}
	return key.N
}
