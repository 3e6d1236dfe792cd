package broker

import (
	"context"
	"fmt"
	"sync"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// subjects computes subject identifiers. Their key is made once and never
// rotated: with another key everybody would be somebody else.
type subjects struct {
	store store.Store

	mu  sync.Mutex
	key []byte
}

func (s *subjects) of(ctx context.Context, connection, issuer, idpSubject string) (string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		key, err := store.Secret(ctx, s.store, "subject", authn.SubjectKeySize)
		if err != nil {
			return "", fmt.Errorf("loading the subject key: %w", err)
		}
		s.key = key
	}
	return authn.Subject(s.key, connection, issuer, idpSubject)
}
