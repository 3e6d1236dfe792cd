package session

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// A UserSession is one of a user's SSO sessions, as the user sees it: a
// browser that is signed in.
type UserSession struct {
	SID     string    `json:"sid"`
	Created time.Time `json:"created"`
	Used    time.Time `json:"used"`
	Expires time.Time `json:"expires"`

	// Device is what the browser calls itself, in a few words; empty if
	// unknown.
	Device string `json:"device,omitempty"`

	// Connections that the user signed in through, and Clients are the
	// gated sites that are open in it, each in the order of the alphabet.
	Connections []string `json:"connections"`
	Clients     []string `json:"clients,omitempty"`
}

// userPrefix is where the sessions of a subject are noted. A subject, which
// may be the upstream's own text, is escaped.
func userPrefix(subject string) string { return "user/" + url.QueryEscape(subject) + "/" }

// noteUser makes the session one that OfUser finds. A note may outlive its
// session; it says nothing by itself.
func (m *Manager) noteUser(ctx context.Context, s *SSO, subject string) error {
	return m.put(ctx, userPrefix(subject)+s.SID, true, m.left(s.Created))
}

// OfUser returns the live sessions in which subject is signed in, the last
// used first.
func (m *Manager) OfUser(ctx context.Context, subject string) ([]UserSession, error) {
	var out []UserSession
	err := m.eachOfUser(ctx, subject, func(sid string) error {
		s, connections, err := m.ofUser(ctx, subject, sid)
		switch {
		case errors.Is(err, ErrNoSession):
			return m.Store.Delete(ctx, userPrefix(subject)+sid) // a note that is out of date
		case err != nil:
			return err
		case m.over(s.Created, s.Used):
			return nil
		}
		clients, err := m.gateClients(ctx, subject, sid)
		out = append(out, UserSession{
			SID: sid, Created: s.Created, Used: s.Used, Expires: s.Created.Add(m.Limits.Lifetime),
			Device: s.Device, Connections: connections, Clients: clients,
		})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("listing sessions: %w", err)
	}
	slices.SortFunc(out, func(a, b UserSession) int { return b.Used.Compare(a.Used) })
	return out, nil
}

// EndOfUser ends the session sid, in which subject must be signed in. For
// another user's session, or none, it returns ErrNoSession.
func (m *Manager) EndOfUser(ctx context.Context, subject, sid string) error {
	if len(sid) != sidLength || strings.Contains(sid, "/") {
		return ErrNoSession
	}
	if _, _, err := m.ofUser(ctx, subject, sid); err != nil {
		return err
	}
	return m.End(ctx, sid)
}

// EndUser ends all sessions in which subject is signed in. It goes on where
// one cannot be ended, and returns all that went wrong.
func (m *Manager) EndUser(ctx context.Context, subject string) error {
	var errs []error
	err := m.eachOfUser(ctx, subject, func(sid string) error {
		err := m.EndOfUser(ctx, subject, sid)
		if err == nil || errors.Is(err, ErrNoSession) {
			err = m.Store.Delete(ctx, userPrefix(subject)+sid)
		}
		errs = append(errs, err)
		return nil
	})
	if err := errors.Join(append(errs, err)...); err != nil {
		return fmt.Errorf("ending sessions: %w", err)
	}
	return nil
}

// eachOfUser calls f with the sid of each session noted for subject.
func (m *Manager) eachOfUser(ctx context.Context, subject string, f func(sid string) error) error {
	prefix := userPrefix(subject)
	for key, err := range store.Keys(ctx, m.Store, prefix) {
		if err == nil {
			err = f(strings.TrimPrefix(key, prefix))
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// ofUser returns the session sid and the connections through which subject is
// signed in there; ErrNoSession if there are none. A session that has reached
// a limit counts: caches may know of a later use than the record does.
func (m *Manager) ofUser(ctx context.Context, subject, sid string) (*SSO, []string, error) {
	s := new(SSO)
	if _, err := m.read(ctx, ssoKey(sid), s); err != nil {
		return nil, nil, err
	}
	var connections []string
	for connection, login := range s.Logins {
		if login.Subject == subject {
			connections = append(connections, connection)
		}
	}
	if connections == nil {
		return nil, nil, ErrNoSession
	}
	slices.Sort(connections)
	return s, connections, nil
}

// gateClients returns the clients at which subject has a gate session below
// sid. Somebody else may be signed in there too, through another connection.
func (m *Manager) gateClients(ctx context.Context, subject, sid string) ([]string, error) {
	const most = 200 // a list for people
	keys, err := m.Store.List(ctx, prefix(sid)+"gate/", "", most)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, key := range keys {
		g := new(Gate)
		if _, err := m.read(ctx, key, g); errors.Is(err, ErrNoSession) {
			continue
		} else if err != nil {
			return nil, err
		}
		if g.Authorization != nil && g.Authorization.Context.Subject == subject && !m.over(g.Created, g.Used) {
			ids = append(ids, g.Authorization.ClientID)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}
