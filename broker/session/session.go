package session

import (
	"context"
	"crypto/subtle"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Defaults of Limits.
const (
	DefaultIdle     = time.Hour
	DefaultLifetime = 12 * time.Hour
)

// Limits bound SSO and gate sessions alike, both on the server (OWASP ASVS
// 5.0, 7.3).
type Limits struct {
	// Idle ends a session that was not used for so long.
	Idle time.Duration
	// Lifetime ends every session, however busy.
	Lifetime time.Duration
}

// ErrNoSession is returned for a handle that is absent, malformed, unknown,
// expired or superseded. The visitor signs in again.
var ErrNoSession = errors.New("no live session")

// A Login is what an SSO session remembers of the newest sign-in through one
// connection: who it was, and what later answers of the same upstream
// session inherit from it.
type Login struct {
	Subject  string           `json:"subject"`
	Upstream authn.Remembered `json:"upstream"`

	// Device is what the browser calls itself, in a few words.
	Device string `json:"-"`
}

// An SSO session is one browser's. Logins are by connection.
type SSO struct {
	SID     string           `json:"sid"`
	Created time.Time        `json:"created"`
	Used    time.Time        `json:"used"`
	Secret  string           `json:"secret"` // store.SecretKey of the live handle's secret half
	Device  string           `json:"device,omitempty"`
	Logins  map[string]Login `json:"logins"`
}

// A Manager starts, finds and ends sessions.
type Manager struct {
	Store  store.Store
	Now    func() time.Time
	Limits Limits

	// Ended is called with the sid of each session that ended on this node
	// so that caches drop what belongs to it; nil does nothing.
	Ended func(sid string)
}

// sidLength is the length of store.NewSecret's text, which sids are.
const sidLength = 43

// splitHandle takes "<sid>.<secret>" apart.
func splitHandle(handle string) (sid, secret string, ok bool) {
	sid, secret, ok = strings.Cut(handle, ".")
	return sid, secret, ok && len(sid) == sidLength && len(secret) == sidLength && !strings.Contains(sid, "/")
}

func prefix(sid string) string { return "session/" + sid + "/" }

func ssoKey(sid string) string { return prefix(sid) + "sso" }

// SignedIn records a sign-in and returns the browser's SSO session with a
// new handle: an attacker who planted or saw the old one is left with
// nothing (session fixation). A browser whose user changed, or whose session
// has reached a limit, gets a new session, and the old one ends: the browser
// forgets its handle now, so no later logout could reach what is below it.
func (m *Manager) SignedIn(ctx context.Context, handle, connection string, login Login) (*SSO, string, error) {
	s, secret, err := m.signInAgain(ctx, handle, connection, login)
	if errors.Is(err, store.ErrConflict) {
		// Somebody wrote between our look and our write. If it was a mere
		// use, the session is still there to be taken; if another tab signed
		// in or out, the handle is spent, and this sign-in stands on its own.
		s, secret, err = m.signInAgain(ctx, handle, connection, login)
	}
	if errors.Is(err, store.ErrConflict) {
		s, secret, err = m.signIn(ctx, nil, nil, connection, login)
	}
	if err == nil {
		err = m.noteUser(ctx, s, login.Subject)
	}
	if err != nil {
		return nil, "", fmt.Errorf("saving session: %w", err)
	}
	return s, s.SID + "." + secret, nil
}

// signInAgain is signIn for the session of handle, if it has one to go on
// with.
func (m *Manager) signInAgain(ctx context.Context, handle, connection string, login Login) (*SSO, string, error) {
	old, raw, err := m.find(ctx, handle)
	if err != nil && !errors.Is(err, ErrNoSession) {
		return nil, "", err
	}
	if old != nil {
		known, ok := old.Logins[connection]
		if ok && known.Subject != login.Subject || m.over(old.Created, old.Used) {
			if err := m.End(ctx, old.SID); err != nil {
				return nil, "", err
			}
			old, raw = nil, nil
		}
	}
	return m.signIn(ctx, old, raw, connection, login)
}

// signIn writes login into old, whose record is raw, or into a new session
// where both are nil, under a new secret.
func (m *Manager) signIn(ctx context.Context, old *SSO, raw []byte, connection string, login Login) (*SSO, string, error) {
	s, secret := m.renew(old), store.NewSecret()
	s.Secret = store.SecretKey("sso", secret)
	s.Device = login.Device
	s.Logins[connection] = login
	return s, secret, m.save(ctx, ssoKey(s.SID), s, raw, s.Created)
}

func (m *Manager) renew(old *SSO) *SSO {
	now := m.Now().UTC()
	if old != nil {
		old.Used = now
		return old
	}
	return &SSO{SID: store.NewSecret(), Created: now, Used: now, Logins: map[string]Login{}}
}

// SSO returns the live session of handle, or ErrNoSession.
func (m *Manager) SSO(ctx context.Context, handle string) (*SSO, error) {
	s, _, err := m.find(ctx, handle)
	if err == nil && m.over(s.Created, s.Used) {
		return nil, ErrNoSession
	}
	return s, err
}

// Known returns the session of handle, even one that has reached a limit: what
// is below it may have been in use since, and whoever signs out means all of
// it. ErrNoSession if it has ended.
func (m *Manager) Known(ctx context.Context, handle string) (*SSO, error) {
	s, _, err := m.find(ctx, handle)
	return s, err
}

// live returns the session sid unless it has ended or reached a limit.
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

// find is SSO for a session that may have reached a limit.
func (m *Manager) find(ctx context.Context, handle string) (*SSO, []byte, error) {
	sid, secret, ok := splitHandle(handle)
	if !ok {
		return nil, nil, ErrNoSession
	}
	s := new(SSO)
	raw, err := m.read(ctx, ssoKey(sid), s)
	if err != nil {
		return nil, nil, err
	}
	if subtle.ConstantTimeCompare([]byte(store.SecretKey("sso", secret)), []byte(s.Secret)) != 1 {
		return nil, nil, ErrNoSession
	}
	return s, raw, nil
}

// Alive says whether the SSO session sid has not ended.
func (m *Manager) Alive(ctx context.Context, sid string) (bool, error) {
	_, err := m.Store.Get(ctx, ssoKey(sid))
	if errors.Is(err, store.ErrNotFound) {
		return false, nil
	}
	return err == nil, err
}

// endTimeout bounds how long ending a session may take.
const endTimeout = 10 * time.Second

// End ends the SSO session sid with everything below it. One write does: what
// is below lives no longer than the session's record. The rest is tidying up,
// whose failure leaves records that open nothing and go by themselves.
//
// It does not stop for a ctx that ends. A browser that closes the page which
// signs out has asked for it all the same.
func (m *Manager) End(ctx context.Context, sid string) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	if err := m.Store.Delete(ctx, ssoKey(sid)); err != nil {
		return fmt.Errorf("ending session: %w", err)
	}
	if m.Ended != nil {
		m.Ended(sid)
	}
	m.tidy(ctx, sid)
	return nil
}

// settle is for a record that was just written below the session sid.
// Whoever ended the session meanwhile has not seen it; it opens nothing, but
// is not left lying about either.
func (m *Manager) settle(ctx context.Context, sid, key string) error {
	alive, err := m.Alive(ctx, sid)
	if err == nil && !alive {
		err = errors.Join(ErrNoSession, m.Store.Delete(ctx, key))
	}
	return err
}

// tidy deletes what was below the session sid, as far as that can be done
// now.
func (m *Manager) tidy(ctx context.Context, sid string) {
	const page = 100
	for {
		keys, err := m.Store.List(ctx, prefix(sid), "", page)
		if err != nil {
			return
		}
		for _, key := range keys {
			if m.Store.Delete(ctx, key) != nil {
				return
			}
		}
		if len(keys) < page {
			return
		}
	}
}

// over says whether a session has reached a limit.
func (m *Manager) over(created, used time.Time) bool {
	now := m.Now()
	return now.Sub(created) >= m.Limits.Lifetime || now.Sub(used) >= m.Limits.Idle
}

func (m *Manager) read(ctx context.Context, key string, into any) ([]byte, error) {
	raw, err := m.Store.Get(ctx, key)
	if errors.Is(err, store.ErrNotFound) {
		return nil, ErrNoSession
	}
	if err != nil {
		return nil, fmt.Errorf("reading session: %w", err)
	}
	if err := json.Unmarshal(raw, into); err != nil {
		return nil, errors.New("reading session: the record is not readable")
	}
	return raw, nil
}

// left is what remains of the absolute lifetime.
func (m *Manager) left(created time.Time) time.Duration {
	return m.Limits.Lifetime - m.Now().Sub(created)
}

// save writes v with what is left of the absolute lifetime. It succeeds only
// while the record is still raw, or still absent where raw is nil, so that a
// session ended in the meantime stays ended.
func (m *Manager) save(ctx context.Context, key string, v any, raw []byte, created time.Time) error {
	left := m.left(created)
	if left <= 0 {
		return ErrNoSession
	}
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return m.Store.Swap(ctx, key, raw, value, left)
}

// put writes v, whatever was there.
func (m *Manager) put(ctx context.Context, key string, v any, ttl time.Duration) error {
	if ttl <= 0 {
		return ErrNoSession
	}
	value, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return m.Store.Put(ctx, key, value, ttl)
}
