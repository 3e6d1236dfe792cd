package session

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// Somebody works at one site for hours, then opens another and signs out
// there. The first site must hear of it, though the browser's SSO session
// was not used by a sign-in for longer than it may be idle.
func TestS18_LogoutReachesTheSiteThatWasBusyAllAlong(t *testing.T) {
	b := newBench(t)
	s, handle := b.signedIn("", "ada")
	first := b.gateSession(s.SID)
	for range 12 {
		b.clock.Advance(10 * time.Minute)
		if err := b.TouchGate(t.Context(), first, b.clock.Now()); err != nil {
			t.Fatal(err)
		}
	}
	next, _ := b.signedIn(handle, "ada")
	if next.SID != s.SID {
		t.Error("the sign-in ended the busy session")
	}
	b.gateLives("the first site, after a sign-in at the second", first, true)
	if _, err := b.SignOut(t.Context(), b.gateSession(next.SID)); err != nil {
		t.Fatal(err)
	}
	b.gateLives("the first site", first, false)
}

// useStore has a gate session used while a sign-in is between its look and
// its write.
type useStore struct {
	store.Store
	use func()
}

func (s *useStore) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	if use := s.use; use != nil {
		s.use = nil
		use()
	}
	return s.Store.Swap(ctx, key, old, new, ttl)
}

func TestSignedIn_RaceWithAUse(t *testing.T) {
	b := newBench(t)
	s, handle := b.signedIn("", "ada")
	gate := b.gateSession(s.SID)
	b.clock.Advance(10 * time.Minute)
	b.Store = &useStore{Store: b.Store, use: func() {
		if err := b.TouchGate(t.Context(), gate, b.clock.Now()); err != nil {
			t.Error(err)
		}
	}}
	if next, _ := b.signedIn(handle, "ada"); next.SID != s.SID {
		t.Error("the sign-in left the session behind, out of reach of a logout")
	}
}

// The browser is about to forget the handle of its idle session, and with it
// the way to whatever lives below.
func TestS18_IdleSessionEndsWhenItIsReplaced(t *testing.T) {
	b := newBench(t)
	s, handle := b.signedIn("", "ada")
	b.clock.Advance(DefaultIdle - time.Minute)
	gate := b.gateSession(s.SID)
	b.clock.Advance(2 * time.Minute)
	b.gateLives("before", gate, true)
	next, _ := b.signedIn(handle, "ada")
	if next.SID == s.SID {
		t.Error("the idle session goes on")
	}
	b.gateLives("after", gate, false)
}

func TestSignOut(t *testing.T) {
	b := newBench(t)
	s, _ := b.signedIn("", "ada")
	idle, other := b.gateSession(s.SID), b.gateSession(s.SID)
	b.clock.Advance(DefaultIdle / 2)
	if err := b.TouchGate(t.Context(), other, b.clock.Now()); err != nil {
		t.Fatal(err)
	}
	b.clock.Advance(DefaultIdle / 2)
	b.gateLives("the idle one", idle, false)
	b.gateLives("the other", other, true)
	if g, err := b.SignOut(t.Context(), idle); err != nil || g.SID != s.SID {
		t.Fatalf("%v, %v", g, err)
	}
	b.gateLives("the other, signed out", other, false)
	for name, handle := range map[string]string{"again": idle, "malformed": "x", "none": ""} {
		if _, err := b.SignOut(t.Context(), handle); !errors.Is(err, ErrNoSession) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestReserved(t *testing.T) {
	for name, want := range map[string]bool{
		"__Host-auth_gate": true, "auth_gate": true, "__Host-auth_gate_flow_8443": true, "__Host-auth_broker_sso": true,
		"auth_gateway": false, "auth": false, "__Host-app": false, "": false,
	} {
		if Reserved(name) != want {
			t.Errorf("%q: %v", name, !want)
		}
	}
}
