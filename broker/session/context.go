package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

// A Cached context answers later authorization requests of the browser that
// it was made in. It holds nothing of the upstream's tokens.
type Cached struct {
	Context *authn.Context `json:"context"`

	// Fingerprint of the connection's settings under which it was made.
	Fingerprint string `json:"fingerprint"`

	// Expires is absolute: use does not put it off.
	Expires time.Time `json:"expires"`
}

func contextKey(sid, connection string) string { return prefix(sid) + "context/" + connection }

// KeepContext remembers the finished context of a sign-in of session sid for
// ttl, but never longer than the session lives. It replaces an older one of
// the connection.
func (m *Manager) KeepContext(ctx context.Context, sid, connection, fingerprint string, c *authn.Context, ttl time.Duration) error {
	s := new(SSO)
	if _, err := m.read(ctx, ssoKey(sid), s); err != nil {
		return fmt.Errorf("keeping context: %w", err)
	}
	cached := Cached{Context: c, Fingerprint: fingerprint, Expires: m.Now().Add(ttl).UTC()}
	err := m.put(ctx, contextKey(sid, connection), cached, min(ttl, m.left(s.Created)))
	if err == nil {
		err = m.settle(ctx, sid, contextKey(sid, connection))
	}
	if err != nil {
		return fmt.Errorf("keeping context: %w", err)
	}
	return nil
}

// Recall returns the live context that the browser with this handle has for
// the connection, and the sid of its session, or ErrNoSession. Whoever
// recalls one uses the session.
func (m *Manager) Recall(ctx context.Context, handle, connection string) (*Cached, string, error) {
	s, err := m.SSO(ctx, handle)
	if err != nil {
		return nil, "", err
	}
	c := new(Cached)
	if _, err := m.read(ctx, contextKey(s.SID, connection), c); err != nil {
		return nil, "", err
	}
	if c.Context == nil || !m.Now().Before(c.Expires) {
		return nil, "", ErrNoSession
	}
	return c, s.SID, nil
}

// DropContext forgets the context that the browser with this handle has for
// the connection, if any.
func (m *Manager) DropContext(ctx context.Context, handle, connection string) error {
	s, _, err := m.find(ctx, handle)
	if errors.Is(err, ErrNoSession) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := m.Store.Delete(ctx, contextKey(s.SID, connection)); err != nil {
		return fmt.Errorf("dropping context: %w", err)
	}
	return nil
}

// Touch notes a use of the SSO session sid.
func (m *Manager) Touch(ctx context.Context, sid string) error {
	return m.touchSSO(ctx, sid, m.Now())
}
