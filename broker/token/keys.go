package token

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"sync"

	jose "github.com/go-jose/go-jose/v4"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Signing algorithms on offer, one active key each.
const (
	ES256 = "ES256"
	RS256 = "RS256"
)

// keysRecord is the store key of the key set. It is sealed like any value.
const keysRecord = "keys/signing"

// Keys is the key set, loaded from the store on first use.
type Keys struct {
	store store.Store

	mu  sync.Mutex
	set *keySet
}

// NewKeys returns the key set kept in s. It does no I/O.
func NewKeys(s store.Store) *Keys { return &Keys{store: s} }

// keySet is immutable once loaded.
type keySet struct {
	signers map[string]*signer
	public  jose.JSONWebKeySet
	jwks    []byte
}

// signer is one active key with its prepared headers.
type signer struct {
	key crypto.Signer
	kid string

	// "{header}." in base64url, by token type.
	jwt, accessToken string
}

// JWKS returns the public keys as a JSON Web Key Set (RFC 7517, 5).
func (k *Keys) JWKS(ctx context.Context) ([]byte, error) {
	set, err := k.load(ctx)
	if err != nil {
		return nil, err
	}
	return set.jwks, nil
}

// load returns the key set, creating it in an empty store. A failure is not
// remembered: the next call tries again.
func (k *Keys) load(ctx context.Context) (*keySet, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.set != nil {
		return k.set, nil
	}
	raw, err := k.store.Get(ctx, keysRecord)
	if errors.Is(err, store.ErrNotFound) {
		raw, err = k.create(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("loading signing keys: %w", err)
	}
	set, err := parseKeys(raw)
	if err != nil {
		return nil, fmt.Errorf("loading signing keys: %w", err)
	}
	k.set = set
	return set, nil
}

// create makes a set and stores it, unless another node was faster: then
// that node's set is everybody's.
func (k *Keys) create(ctx context.Context) ([]byte, error) {
	raw, err := generateKeys()
	if err != nil {
		return nil, err
	}
	err = k.store.Swap(ctx, keysRecord, nil, raw, 0)
	if errors.Is(err, store.ErrConflict) {
		return k.store.Get(ctx, keysRecord)
	}
	return raw, err
}

func generateKeys() ([]byte, error) {
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("generating ES256 key: %w", err)
	}
	rs, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		return nil, fmt.Errorf("generating RS256 key: %w", err)
	}
	set := jose.JSONWebKeySet{Keys: []jose.JSONWebKey{
		{Key: ec, Algorithm: ES256, Use: "sig"},
		{Key: rs, Algorithm: RS256, Use: "sig"},
	}}
	for i := range set.Keys {
		if set.Keys[i].KeyID, err = thumbprint(set.Keys[i]); err != nil {
			return nil, err
		}
	}
	return json.Marshal(set)
}

// thumbprint is the key id: unique, and the same on every node (RFC 7638).
func thumbprint(key jose.JSONWebKey) (string, error) {
	sum, err := key.Thumbprint(crypto.SHA256)
	if err != nil {
		return "", fmt.Errorf("computing key id: %w", err)
	}
	return base64.RawURLEncoding.EncodeToString(sum), nil
}

func parseKeys(raw []byte) (*keySet, error) {
	var private jose.JSONWebKeySet
	if err := json.Unmarshal(raw, &private); err != nil {
		return nil, errors.New("the stored key set is not readable")
	}
	set := &keySet{signers: map[string]*signer{}}
	for _, key := range private.Keys {
		s, ok := key.Key.(crypto.Signer)
		if !ok || key.IsPublic() {
			return nil, fmt.Errorf("stored key %s cannot sign", key.KeyID)
		}
		set.signers[key.Algorithm] = newSigner(key.Algorithm, key.KeyID, s)
		set.public.Keys = append(set.public.Keys, key.Public())
	}
	if set.signers[ES256] == nil || set.signers[RS256] == nil {
		return nil, errors.New("the stored key set lacks an algorithm")
	}
	jwks, err := json.Marshal(set.public)
	if err != nil {
		return nil, fmt.Errorf("publishing keys: %w", err)
	}
	set.jwks = jwks
	return set, nil
}
