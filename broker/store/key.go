package store

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
)

// NewSecret returns a fresh secret of 256 random bits in base64url: 43
// characters that fit a cookie, a header and a URL as they are.
func NewSecret() string {
	return base64.RawURLEncoding.EncodeToString(randomBytes(sha256.Size))
}

// SecretKey returns the key of the record that secret opens, such as
// "code/47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".
//
// The record is named by the SHA-256 of the secret. Whoever reads the
// database, a backup or a list of keys learns the hash, cannot turn it back
// into the code, refresh token or session handle it stands for, and so
// cannot sign in as anybody. A plain hash is enough because the secret has
// 256 random bits: there is nothing to guess. It is not enough for
// passwords and short codes. The look-up also leaks no timing: an attacker
// who varies a secret cannot steer the bytes of its hash.
func SecretKey(kind, secret string) string {
	sum := sha256.Sum256([]byte(secret))
	return kind + "/" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// Secret returns the random value of n bytes that the store keeps as
// "secret/<name>", and makes it on first use. All nodes that share a store
// get the same value, also when they ask for the first time at once. It is
// never replaced. s must be [Sealed].
func Secret(ctx context.Context, s Store, name string, n int) ([]byte, error) {
	key := "secret/" + name
	value, err := s.Get(ctx, key)
	if errors.Is(err, ErrNotFound) {
		value = randomBytes(n)
		err = s.Swap(ctx, key, nil, value, 0)
		if errors.Is(err, ErrConflict) { // another node was first: its value counts
			value, err = s.Get(ctx, key)
		}
	}
	if err != nil {
		return nil, fmt.Errorf("loading secret %q: %w", name, err)
	}
	if len(value) != n {
		return nil, fmt.Errorf("loading secret %q: it has %d bytes instead of %d", name, len(value), n)
	}
	return value, nil
}

// randomBytes never fails: crypto/rand ends the process when the system has
// no randomness left to give.
func randomBytes(n int) []byte {
	b := make([]byte, n)
	rand.Read(b)
	return b
}
