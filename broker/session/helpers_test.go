package session

import (
	"errors"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// bench is a manager on a store of its own with a clock that tests move.
type bench struct {
	*Manager
	t     *testing.T
	clock *storetest.Clock
	ended []string
}

func newBench(t *testing.T) *bench {
	b := &bench{t: t, clock: storetest.NewClock()}
	b.Manager = &Manager{
		Store: store.NewMemory(b.clock.Now), Now: b.clock.Now,
		Limits: Limits{Idle: DefaultIdle, Lifetime: DefaultLifetime},
		Ended:  func(sid string) { b.ended = append(b.ended, sid) },
	}
	return b
}

func login(subject string) Login {
	return Login{Subject: subject, Upstream: authn.Remembered{Subject: "idp|" + subject, AuthTime: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)}}
}

// signedIn signs subject in by the connection "staff".
func (b *bench) signedIn(handle, subject string) (*SSO, string) {
	b.t.Helper()
	s, fresh, err := b.SignedIn(b.t.Context(), handle, "staff", login(subject))
	if err != nil {
		b.t.Fatal(err)
	}
	return s, fresh
}

func (b *bench) gateSession(sid string) string {
	b.t.Helper()
	_, handle, err := b.CreateGate(b.t.Context(), authorization(sid))
	if err != nil {
		b.t.Fatal(err)
	}
	return handle
}

func authorization(sid string) *authn.Authorization {
	return &authn.Authorization{
		ID: "authorization-1", ClientID: "web", SID: sid, Scopes: []string{"openid"}, Subject: "ada",
		Context: &authn.Context{
			Attributes: map[string]any{"name": "Ada"}, Connection: "staff", Subject: "ada",
			AuthTime: time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC),
		},
	}
}

// records lists what the store holds below the session.
func (b *bench) records(sid string) []string {
	b.t.Helper()
	keys, err := b.Store.List(b.t.Context(), prefix(sid), "", 1000)
	if err != nil {
		b.t.Fatal(err)
	}
	return keys
}

// ssoLives and gateLives fail unless the handle is live, or dead.
func (b *bench) ssoLives(name, handle string, want bool) {
	b.t.Helper()
	s, err := b.SSO(b.t.Context(), handle)
	b.check(name, s != nil, err, want)
}

func (b *bench) gateLives(name, handle string, want bool) {
	b.t.Helper()
	g, err := b.GateSession(b.t.Context(), handle)
	b.check(name, g != nil, err, want)
}

func (b *bench) check(name string, found bool, err error, want bool) {
	b.t.Helper()
	switch {
	case want && err != nil:
		b.t.Errorf("%s: %v; want a session", name, err)
	case !want && (!errors.Is(err, ErrNoSession) || found):
		b.t.Errorf("%s: found %v, %v; want ErrNoSession", name, found, err)
	}
}
