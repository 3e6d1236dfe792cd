package session

import (
	"context"
	"encoding/base64"
	"fmt"
	"strings"
	"sync"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A Sealer encrypts what waits in browsers and travels through addresses:
// pending sign-ins, state parameters. Its key is made once and kept in the
// store, so that every node and every restart can open what another sealed.
type Sealer struct {
	Store store.Store

	mu   sync.Mutex
	ring *store.Keyring
}

// Seal returns plaintext encrypted for purpose, in URL-safe characters.
func (s *Sealer) Seal(ctx context.Context, purpose string, plaintext []byte) (string, error) {
	ring, err := s.keys(ctx)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(ring.Seal(purpose, plaintext)), nil
}

// Open is the reverse of Seal. The error of text that nobody sealed for
// purpose is store.ErrSealed; any other is a failure of the store.
func (s *Sealer) Open(ctx context.Context, purpose, sealed string) ([]byte, error) {
	ring, err := s.keys(ctx)
	if err != nil {
		return nil, err
	}
	// The decoder skips line breaks, which would give one text many spellings.
	raw, err := base64.RawURLEncoding.Strict().DecodeString(sealed)
	if err != nil || strings.ContainsAny(sealed, "\r\n") {
		return nil, store.ErrSealed
	}
	return ring.Open(purpose, raw)
}

func (s *Sealer) keys(ctx context.Context) (*store.Keyring, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.ring != nil {
		return s.ring, nil
	}
	key, err := store.Secret(ctx, s.Store, "browser", 32)
	if err != nil {
		return nil, fmt.Errorf("loading the cookie key: %w", err)
	}
	ring, err := store.NewKeyring(key)
	if err != nil {
		return nil, fmt.Errorf("loading the cookie key: %w", err)
	}
	s.ring = ring
	return ring, nil
}
