package oidc

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
)

// A seed is the private state of one sign-in: 32 random bytes from which
// nonce and PKCE verifier are derived. It keeps the state in the visitor's
// sealed cookie small. Neither value tells the seed or the other one.
type seed [32]byte

func newSeed(random io.Reader) (s seed, err error) {
	_, err = io.ReadFull(random, s[:])
	return s, err
}

// openSeed reads the private state back.
func openSeed(private []byte) (s seed, err error) {
	if len(private) != len(s) {
		return s, errors.New("private state has the wrong size")
	}
	copy(s[:], private)
	return s, nil
}

// nonce ties the ID token to this sign-in.
func (s seed) nonce() string { return s.derive("nonce") }

// verifier ties the code to it (RFC 7636, 4.1): 43 characters.
func (s seed) verifier() string { return s.derive("pkce verifier") }

func (s seed) derive(purpose string) string {
	out, err := hkdf.Expand(sha256.New, s[:], "caddy-auth-broker oidc "+purpose, sha256.Size)
	if err != nil {
		panic("oidc: " + err.Error()) // only for an output beyond 8160 bytes
	}
	return base64.RawURLEncoding.EncodeToString(out)
}
