package session

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// MaxLogins of one session wait in the store for the user's consent or for a
// post-authentication application. People do have several tabs; somebody with
// more is filling the store.
const MaxLogins = 8

func loginsKey(sid string) string { return prefix(sid) + "logins" }

// AddLogin notes that the login stored under key belongs to session sid, and
// returns the keys of the oldest ones that there are too many of, for the
// caller to delete.
func (m *Manager) AddLogin(ctx context.Context, sid, key string) (dropped []string, err error) {
	s := new(SSO)
	if _, err := m.read(ctx, ssoKey(sid), s); err != nil {
		return nil, fmt.Errorf("counting logins: %w", err)
	}
	// Each lost race means that another tab has made progress, and there
	// are not many.
	for range 4 * MaxLogins {
		var keys []string
		raw, err := m.Store.Get(ctx, loginsKey(sid))
		if err != nil && !errors.Is(err, store.ErrNotFound) {
			return nil, fmt.Errorf("counting logins: %w", err)
		}
		if err == nil && json.Unmarshal(raw, &keys) != nil {
			return nil, errors.New("counting logins: the record is not readable")
		}
		keys = append(slices.DeleteFunc(keys, func(k string) bool { return k == key }), key)
		over := max(len(keys)-MaxLogins, 0)
		err = m.save(ctx, loginsKey(sid), keys[over:], raw, s.Created)
		if errors.Is(err, store.ErrConflict) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("counting logins: %w", err)
		}
		return keys[:over], nil
	}
	return nil, errors.New("counting logins: too many at once")
}
