package session

import (
	"context"
	"errors"
	"fmt"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Applications of the broker's own, such as the demo, keep what they know of
// a browser below its SSO session: whatever ends that session ends theirs.

func appKey(sid, app, secret string) string { return prefix(sid) + store.SecretKey(app, secret) }

// CreateApp keeps value for an application below the SSO session sid, for as
// long as that may live, and returns the handle by which the browser finds it
// again. It fails with ErrNoSession if the session has ended, even while it
// was at work.
func (m *Manager) CreateApp(ctx context.Context, app, sid string, value any) (handle string, err error) {
	s, err := m.live(ctx, sid)
	if err != nil {
		return "", fmt.Errorf("saving session of %s: %w", app, err)
	}
	secret := store.NewSecret()
	if err := m.save(ctx, appKey(sid, app, secret), value, nil, s.Created); err != nil {
		return "", fmt.Errorf("saving session of %s: %w", app, err)
	}
	// Whoever signs out meanwhile has not seen the new record. End deletes
	// the session first, so looking for it last leaves none behind.
	alive, err := m.Alive(ctx, sid)
	if err == nil && !alive {
		err = errors.Join(ErrNoSession, m.Store.Delete(ctx, appKey(sid, app, secret)))
	}
	if err != nil {
		return "", fmt.Errorf("saving session of %s: %w", app, err)
	}
	return sid + "." + secret, nil
}

// AppSession reads what the application keeps under handle; ErrNoSession if
// it, or the SSO session above it, has ended. It counts as a use of the
// session.
func (m *Manager) AppSession(ctx context.Context, app, handle string, into any) error {
	sid, secret, ok := splitHandle(handle)
	if !ok {
		return ErrNoSession
	}
	if _, err := m.live(ctx, sid); err != nil {
		return err
	}
	if _, err := m.read(ctx, appKey(sid, app, secret), into); err != nil {
		return err
	}
	if err := m.Touch(ctx, sid); err != nil && !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}

// EndApp forgets what the application keeps under handle, and leaves the SSO
// session above it alive.
func (m *Manager) EndApp(ctx context.Context, app, handle string) error {
	sid, secret, ok := splitHandle(handle)
	if !ok {
		return nil
	}
	return m.Store.Delete(ctx, appKey(sid, app, secret))
}

// live returns the SSO session sid unless it has ended or reached a limit.
func (m *Manager) live(ctx context.Context, sid string) (*SSO, error) {
	s := new(SSO)
	if _, err := m.read(ctx, ssoKey(sid), s); err != nil {
		return nil, err
	}
	if m.over(s.Created, s.Used) {
		return nil, ErrNoSession
	}
	return s, nil
}
