package session

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A Gate session is one browser's at one gated site.
type Gate struct {
	SID           string               `json:"sid"`
	Created       time.Time            `json:"created"`
	Used          time.Time            `json:"used"`
	Authorization *authn.Authorization `json:"authorization"`
}

func gateKey(sid, secret string) string {
	return prefix(sid) + store.SecretKey("gate", secret)
}

// CreateGate starts a gate session for a and returns its handle. Its life is
// that of the SSO session above it, and is counted from the same instant. It
// fails with ErrNoSession if that session has ended.
func (m *Manager) CreateGate(ctx context.Context, a *authn.Authorization) (*Gate, string, error) {
	s := new(SSO)
	if _, err := m.read(ctx, ssoKey(a.SID), s); err != nil {
		return nil, "", fmt.Errorf("saving gate session: %w", err)
	}
	secret := store.NewSecret()
	g := &Gate{SID: a.SID, Created: s.Created, Used: m.Now().UTC(), Authorization: a}
	err := m.save(ctx, gateKey(a.SID, secret), g, nil, s.Created)
	if err == nil {
		err = m.settle(ctx, a.SID, gateKey(a.SID, secret))
	}
	if err != nil {
		return nil, "", fmt.Errorf("saving gate session: %w", err)
	}
	return g, a.SID + "." + secret, nil
}

// GateSession returns the live gate session of handle, or ErrNoSession.
func (m *Manager) GateSession(ctx context.Context, handle string) (*Gate, error) {
	g, _, err := m.gate(ctx, handle)
	return g, err
}

func (m *Manager) gate(ctx context.Context, handle string) (*Gate, []byte, error) {
	g, raw, err := m.gateRecord(ctx, handle)
	if err == nil && m.over(g.Created, g.Used) {
		return nil, nil, ErrNoSession
	}
	return g, raw, err
}

// gateRecord is gate for a session that may have reached a limit.
func (m *Manager) gateRecord(ctx context.Context, handle string) (*Gate, []byte, error) {
	sid, secret, ok := splitHandle(handle)
	if !ok {
		return nil, nil, ErrNoSession
	}
	g := new(Gate)
	raw, err := m.read(ctx, gateKey(sid, secret), g)
	if err != nil {
		return nil, nil, err
	}
	if g.Authorization == nil || g.Authorization.Context == nil || g.Authorization.Subject == "" {
		return nil, nil, ErrNoSession
	}
	// The session above goes first when it ends. What is left below it is
	// nobody's.
	alive, err := m.Alive(ctx, sid)
	if err != nil {
		return nil, nil, err
	}
	if !alive {
		return nil, nil, ErrNoSession
	}
	return g, raw, nil
}

// TouchGate records that the session of handle was in use at used, which
// puts off its idle end and that of its SSO session. A session that somebody
// ended or touched in the meantime is left alone.
func (m *Manager) TouchGate(ctx context.Context, handle string, used time.Time) error {
	g, raw, err := m.gate(ctx, handle)
	if err != nil {
		return err
	}
	if !used.After(g.Used) {
		return nil
	}
	g.Used = used.UTC()
	sid, secret, _ := splitHandle(handle)
	err = m.save(ctx, gateKey(sid, secret), g, raw, g.Created)
	if err == nil {
		err = m.touchSSO(ctx, sid, used)
	}
	if errors.Is(err, store.ErrConflict) {
		return nil
	}
	return err
}

// touchSSO makes the use of a gate session one of the SSO session above it.
// Otherwise the next sign-in would find that session idle, and a logout
// after it would miss what hangs on the old one.
func (m *Manager) touchSSO(ctx context.Context, sid string, used time.Time) error {
	s := new(SSO)
	raw, err := m.read(ctx, ssoKey(sid), s)
	if errors.Is(err, ErrNoSession) || err == nil && !used.After(s.Used) {
		return nil
	}
	if err != nil {
		return err
	}
	s.Used = used.UTC()
	return m.save(ctx, ssoKey(sid), s, raw, s.Created)
}

// SignOut ends the SSO session that the gate session of handle belongs to,
// with everything below it, and returns the gate session. That this one has
// gone idle is no reason to leave the others alive: whoever signs out means
// all of them, and caches may know of a later use than the record does.
func (m *Manager) SignOut(ctx context.Context, handle string) (*Gate, error) {
	g, _, err := m.gateRecord(ctx, handle)
	if err != nil {
		return nil, err
	}
	return g, m.End(ctx, g.SID)
}

// EndGate ends one gate session and leaves the SSO session above it alive.
func (m *Manager) EndGate(ctx context.Context, handle string) error {
	sid, secret, ok := splitHandle(handle)
	if !ok {
		return nil
	}
	return m.Store.Delete(ctx, gateKey(sid, secret))
}
