package broker

import (
	"context"
	"fmt"
	"sync"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/oauth"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/op"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// subjects makes subject identifiers. Their key is made once and never
// rotated: with another key everybody would be somebody else.
type subjects struct {
	store  store.Store
	legacy bool
	client func(id string) *oauth.Client

	mu  sync.Mutex
	key []byte
}

var _ op.Subjects = (*subjects)(nil)

// Of returns the subject of an upstream's user: a keyed hash, or in the
// legacy format the upstream's own name for them.
func (s *subjects) Of(ctx context.Context, connection, issuer, idpSubject string) (string, error) {
	if s.legacy {
		if c := s.client(idpSubject); c != nil && c.MayGrant(oauth.GrantClientCredentials) {
			// The tokens that the client gets for itself have its id as
			// their sub, and the person would pass for it (RFC 9068, 5).
			return "", fmt.Errorf("%w: the upstream's subject is the id of client %s; rename the client, or use subject_format hash", authn.ErrSubject, c.ID)
		}
		return authn.LegacySubject(idpSubject)
	}
	key, err := s.secret(ctx)
	if err != nil {
		return "", err
	}
	return authn.Subject(key, connection, issuer, idpSubject)
}

// For returns the subject as c knows it.
func (s *subjects) For(ctx context.Context, c *oauth.Client, subject string) (string, error) {
	sector := c.Sector()
	if sector == "" {
		return subject, nil
	}
	key, err := s.secret(ctx)
	if err != nil {
		return "", err
	}
	return authn.PairwiseSubject(key, sector, subject)
}

func (s *subjects) secret(ctx context.Context) ([]byte, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.key == nil {
		key, err := store.Secret(ctx, s.store, "subject", authn.SubjectKeySize)
		if err != nil {
			return nil, fmt.Errorf("loading the subject key: %w", err)
		}
		s.key = key
	}
	return s.key, nil
}
