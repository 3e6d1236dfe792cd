package store

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/sha256"
	"errors"
	"fmt"
)

// KeySize is the length of a sealing key in bytes.
const KeySize = 32

// keyIDSize is the length of the key id in front of everything sealed.
const keyIDSize = 4

// ErrSealed is returned for what cannot be opened: it was sealed with a key
// that is not in the ring, for another record or purpose, or it has been
// changed. Callers deny and never look inside.
var ErrSealed = errors.New("sealed value cannot be opened")

// A Keyring seals with its first key and opens with any of its keys, so
// that a key is replaced by putting the new one first and dropping the old
// one when nothing sealed with it is left.
//
// Sealed values are AES-256-GCM with a random nonce:
//
//	key id (4) | nonce (12) | ciphertext | tag (16)
//
// where the key id is the beginning of the SHA-256 of the key. Each key is
// expanded into two: one for records, one for what leaves the server in
// cookies and state parameters. A browser can therefore never be handed
// something that opens as a record, nor the other way round.
//
// A random nonce is safe for 2^32 values a key (NIST SP 800-38D, 8.3):
// four years of 30 writes a second.
type Keyring struct {
	keys []sealingKey
}

type sealingKey struct {
	id      [keyIDSize]byte
	records cipher.AEAD
	blobs   cipher.AEAD
}

// NewKeyring makes a ring of keys of [KeySize] random bytes each; at least
// one is needed.
func NewKeyring(keys ...[]byte) (*Keyring, error) {
	if len(keys) == 0 {
		return nil, errors.New("making keyring: no sealing key")
	}
	ring := new(Keyring)
	for i, key := range keys {
		k, err := newSealingKey(key)
		if err != nil {
			return nil, fmt.Errorf("making keyring: sealing key %d of %d: %w", i+1, len(keys), err)
		}
		if ring.find(k.id[:]) != nil {
			return nil, fmt.Errorf("making keyring: sealing key %d of %d is given twice", i+1, len(keys))
		}
		ring.keys = append(ring.keys, *k)
	}
	return ring, nil
}

func newSealingKey(key []byte) (*sealingKey, error) {
	if len(key) != KeySize {
		return nil, fmt.Errorf("it has %d bytes instead of %d", len(key), KeySize)
	}
	records, err := newAEAD(key, "caddy-auth-broker record v1")
	if err != nil {
		return nil, err
	}
	blobs, err := newAEAD(key, "caddy-auth-broker blob v1")
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(key)
	return &sealingKey{id: [keyIDSize]byte(sum[:]), records: records, blobs: blobs}, nil
}

// newAEAD derives the key for one use (RFC 5869). The sealing key is random,
// so the extraction needs no salt.
func newAEAD(key []byte, use string) (cipher.AEAD, error) {
	derived, err := hkdf.Key(sha256.New, key, nil, use, KeySize)
	if err != nil {
		return nil, err
	}
	block, err := aes.NewCipher(derived)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}

// Seal encrypts plaintext for a cookie or a state parameter. It opens again
// only for the same purpose, such as "pending sign-in": without that, a
// visitor could hand a blob of one kind to a handler that expects another.
func (r *Keyring) Seal(purpose string, plaintext []byte) []byte {
	k := &r.keys[0]
	return k.seal(k.blobs, purpose, plaintext)
}

// Open decrypts what Seal made for the same purpose, or returns [ErrSealed].
// It does not notice a blob that is old or comes twice: what must not be
// replayed carries its own time or one-time value.
func (r *Keyring) Open(purpose string, sealed []byte) ([]byte, error) {
	k := r.find(sealed)
	if k == nil {
		return nil, ErrSealed
	}
	return open(k.blobs, purpose, sealed)
}

// sealRecord and openRecord are Seal and Open for values at rest. The key of
// the record is associated data: an attacker who can write to the database
// but lacks the sealing key could otherwise copy the value of an
// administrator's session over that of his own.
func (r *Keyring) sealRecord(key string, value []byte) []byte {
	k := &r.keys[0]
	return k.seal(k.records, key, value)
}

func (r *Keyring) openRecord(key string, sealed []byte) ([]byte, error) {
	k := r.find(sealed)
	if k == nil {
		return nil, ErrSealed
	}
	return open(k.records, key, sealed)
}

// find returns the key that sealed names in its first bytes, or nil.
func (r *Keyring) find(sealed []byte) *sealingKey {
	for i := range r.keys {
		if bytes.HasPrefix(sealed, r.keys[i].id[:]) {
			return &r.keys[i]
		}
	}
	return nil
}

func (k *sealingKey) seal(aead cipher.AEAD, context string, plaintext []byte) []byte {
	sealed := make([]byte, keyIDSize, keyIDSize+len(plaintext)+aead.Overhead())
	copy(sealed, k.id[:])
	return aead.Seal(sealed, nil, plaintext, []byte(context))
}

// open returns a slice that is never nil, also for an empty plaintext: see
// copyOf. The cause of a failure is left out: it would only help whoever
// tries blobs.
func open(aead cipher.AEAD, context string, sealed []byte) ([]byte, error) {
	plaintext, err := aead.Open([]byte{}, nil, sealed[keyIDSize:], []byte(context))
	if err != nil {
		return nil, ErrSealed
	}
	return plaintext, nil
}
