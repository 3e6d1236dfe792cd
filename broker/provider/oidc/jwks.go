package oidc

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"

	jose "github.com/go-jose/go-jose/v4"
)

// Limits of a key set. They bound what a hostile provider can make us
// parse, and what one signature without kid can make us try.
const (
	maxJWKS    = 256 << 10
	maxKeys    = 100
	minRSABits = 2048
	maxRSABits = 8192
)

// A verificationKey is one public key of a provider.
type verificationKey struct {
	id, alg string // alg "" = any of its kind
	public  crypto.PublicKey
}

// rawKey holds the members of a JWK that we read. Certificate chains are
// left out: parsing them costs much and proves nothing here.
type rawKey struct {
	Kty    string   `json:"kty"`
	Use    string   `json:"use,omitempty"`
	KeyOps []string `json:"key_ops,omitempty"`
	Alg    string   `json:"alg,omitempty"`
	Kid    string   `json:"kid,omitempty"`
	Crv    string   `json:"crv,omitempty"`
	N      string   `json:"n,omitempty"`
	E      string   `json:"e,omitempty"`
	X      string   `json:"x,omitempty"`
	Y      string   `json:"y,omitempty"`

	// Secret members: never kept, only noticed.
	D    json.RawMessage `json:"d,omitempty"`
	K    json.RawMessage `json:"k,omitempty"`
	Priv json.RawMessage `json:"priv,omitempty"`
}

// parseJWKS returns the usable keys of a JWK set. Keys of a kind, use or
// strength that we do not take are skipped, as RFC 7517, 5 wants it; a set
// without a usable one is an error, so that an empty document does not
// replace good keys.
func parseJWKS(raw []byte) ([]verificationKey, error) {
	if len(raw) > maxJWKS {
		return nil, fmt.Errorf("%w: the key set is larger than %d bytes", errMisconfigured, maxJWKS)
	}
	members, err := keyMembers(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errMisconfigured, err)
	}
	var keys []verificationKey
	for _, member := range members {
		if key, ok := parseKey(member); ok {
			keys = append(keys, key)
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("%w: the key set has no usable key", errMisconfigured)
	}
	return keys, nil
}

// keyMembers returns the elements of "keys". It reads as a stream and stops
// at the first key too many: decoding 10^5 of them to count them would be
// the attack.
func keyMembers(raw []byte) ([]json.RawMessage, error) {
	errForm := errors.New("the key set is not the JSON it should be")
	dec := json.NewDecoder(bytes.NewReader(raw))
	if t, err := dec.Token(); err != nil || t != json.Delim('{') {
		return nil, errForm
	}
	var members []json.RawMessage
	for dec.More() {
		name, err := dec.Token()
		if err != nil {
			return nil, errForm
		}
		if name != "keys" {
			var skipped json.RawMessage
			if dec.Decode(&skipped) != nil {
				return nil, errForm
			}
			continue
		}
		if t, err := dec.Token(); err != nil || t != json.Delim('[') {
			return nil, errForm
		}
		for dec.More() {
			var member json.RawMessage
			if dec.Decode(&member) != nil {
				return nil, errForm
			}
			if members = append(members, member); len(members) > maxKeys {
				return nil, fmt.Errorf("the key set has more than %d keys", maxKeys)
			}
		}
		if _, err := dec.Token(); err != nil {
			return nil, errForm
		}
	}
	if _, err := dec.Token(); err != nil {
		return nil, errForm
	}
	if _, err := dec.Token(); err != io.EOF {
		return nil, errForm
	}
	return members, nil
}

// parseKey returns the key of one JWK, if it is public, meant for
// signatures, and neither weak nor so large that using it is an attack.
func parseKey(member json.RawMessage) (verificationKey, bool) {
	var none verificationKey
	var raw rawKey
	if json.Unmarshal(member, &raw) != nil {
		return none, false
	}
	switch {
	case raw.D != nil || raw.K != nil || raw.Priv != nil:
		return none, false // whoever reads the set can sign with it
	case raw.Use != "" && raw.Use != "sig":
		return none, false
	case raw.KeyOps != nil && !slices.Contains(raw.KeyOps, "verify"):
		return none, false
	case len(raw.Kid) > maxKeyID || len(raw.Crv) > 16 || len(raw.X) > 100 || len(raw.Y) > 100:
		return none, false
	case len(raw.N) > maxRSABits/6+8 || len(raw.E) > 8:
		return none, false
	}
	reduced, err := json.Marshal(raw)
	if err != nil {
		return none, false
	}
	var jwk jose.JSONWebKey
	if jwk.UnmarshalJSON(reduced) != nil || !jwk.Valid() || !strongEnough(jwk.Key) {
		return none, false
	}
	return verificationKey{id: raw.Kid, alg: raw.Alg, public: jwk.Key}, true
}

func strongEnough(public crypto.PublicKey) bool {
	switch key := public.(type) {
	case *rsa.PublicKey:
		bits := key.N.BitLen()
		return bits >= minRSABits && bits <= maxRSABits && key.E >= 3 && key.E%2 == 1
	case *ecdsa.PublicKey:
		return true
	case ed25519.PublicKey:
		return len(key) == ed25519.PublicKeySize
	}
	return false
}

// fits says whether the key may verify a signature of alg: by its kind, its
// curve, and its own alg where it names one. A token that says RS256 must
// not meet a key that its issuer made for another algorithm.
func (k *verificationKey) fits(alg string) bool {
	if k.alg != "" && k.alg != alg {
		return false
	}
	switch key := k.public.(type) {
	case *rsa.PublicKey:
		return alg[:2] == "RS" || alg[:2] == "PS"
	case *ecdsa.PublicKey:
		want := map[string]string{"ES256": "P-256", "ES384": "P-384", "ES512": "P-521"}[alg]
		return key.Curve.Params().Name == want
	case ed25519.PublicKey:
		return alg == "EdDSA"
	}
	return false
}
