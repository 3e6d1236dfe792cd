package session

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Applications of the broker's own, such as the demo, keep what they know of
// a browser below its SSO session: whatever ends that session ends theirs.
// Each has one record there, so that nobody fills the store by signing in.

func appKey(sid, app string) string { return prefix(sid) + "app/" + app }

// An appRecord is what an application keeps, and for whom.
type appRecord struct {
	Secret string          `json:"secret"` // store.SecretKey of the handle's secret half
	Value  json.RawMessage `json:"value"`
}

// CreateApp keeps value for an application below the SSO session sid, for as
// long as that may live, and returns the handle by which the browser finds it
// again. It replaces what the application kept there before. It fails with
// ErrNoSession if the session has ended.
func (m *Manager) CreateApp(ctx context.Context, app, sid string, value any) (handle string, err error) {
	s, err := m.live(ctx, sid)
	if err != nil {
		return "", fmt.Errorf("saving session of %s: %w", app, err)
	}
	raw, err := json.Marshal(value)
	if err != nil {
		return "", fmt.Errorf("saving session of %s: %w", app, err)
	}
	secret := store.NewSecret()
	record := appRecord{Secret: store.SecretKey(app, secret), Value: raw}
	err = m.put(ctx, appKey(sid, app), record, m.left(s.Created))
	if err == nil {
		err = m.settle(ctx, sid, appKey(sid, app))
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
	sid, raw, err := m.appValue(ctx, app, handle)
	if err != nil {
		return err
	}
	if _, err := m.live(ctx, sid); err != nil {
		return err
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return fmt.Errorf("reading session of %s: the record is not readable", app)
	}
	if err := m.Touch(ctx, sid); err != nil && !errors.Is(err, store.ErrConflict) {
		return err
	}
	return nil
}

// EndApp forgets what the application keeps under handle, and leaves the SSO
// session above it alive.
func (m *Manager) EndApp(ctx context.Context, app, handle string) error {
	sid, _, err := m.appValue(ctx, app, handle)
	if errors.Is(err, ErrNoSession) {
		return nil
	}
	if err != nil {
		return err
	}
	return m.Store.Delete(ctx, appKey(sid, app))
}

func (m *Manager) appValue(ctx context.Context, app, handle string) (sid string, value json.RawMessage, err error) {
	sid, secret, ok := splitHandle(handle)
	if !ok {
		return "", nil, ErrNoSession
	}
	record := new(appRecord)
	if _, err := m.read(ctx, appKey(sid, app), record); err != nil {
		return "", nil, err
	}
	if subtle.ConstantTimeCompare([]byte(store.SecretKey(app, secret)), []byte(record.Secret)) != 1 {
		return "", nil, ErrNoSession
	}
	return sid, record.Value, nil
}
