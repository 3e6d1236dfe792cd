package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// kept is what an application might keep.
type kept struct {
	Token string `json:"token"`
}

func (b *bench) appSession(sid string) string {
	b.t.Helper()
	handle, err := b.CreateApp(b.t.Context(), "demo", sid, kept{"not-a-secret"})
	if err != nil {
		b.t.Fatal(err)
	}
	return handle
}

// appLives fails unless the handle finds what was kept, or nothing.
func (b *bench) appLives(name, handle string, want bool) {
	b.t.Helper()
	var got kept
	err := b.AppSession(b.t.Context(), "demo", handle, &got)
	b.check(name, got.Token == "not-a-secret", err, want)
}

func TestAppSessionsEndWithTheSession(t *testing.T) {
	t.Run("by their own end, alone", func(t *testing.T) {
		b := newBench(t)
		s, sso := b.signedIn("", "ada")
		first, second := b.appSession(s.SID), b.appSession(s.SID)
		b.appLives("one that was replaced", first, false)
		if err := b.EndApp(t.Context(), "demo", first); err != nil {
			t.Fatal(err)
		}
		b.appLives("the one in its place", second, true)
		if err := b.EndApp(t.Context(), "demo", second); err != nil {
			t.Fatal(err)
		}
		b.appLives("the ended one", second, false)
		b.ssoLives("the SSO session", sso, true)
	})
	t.Run("by a logout", func(t *testing.T) {
		b := newBench(t)
		s, sso := b.signedIn("", "ada")
		handle := b.appSession(s.SID)
		if err := b.End(t.Context(), s.SID); err != nil {
			t.Fatal(err)
		}
		b.appLives("after the logout", handle, false)
		if left := b.records(s.SID); len(left) != 0 {
			t.Errorf("left behind: %q", left)
		}
		if _, err := b.Known(t.Context(), sso); !errors.Is(err, ErrNoSession) {
			t.Errorf("the handle is known after the logout: %v", err)
		}
	})
	t.Run("by being idle, unless they are used", func(t *testing.T) {
		b := newBench(t)
		s, sso := b.signedIn("", "ada")
		handle := b.appSession(s.SID)
		b.clock.Advance(DefaultIdle - time.Minute)
		b.appLives("just before", handle, true)
		b.clock.Advance(DefaultIdle - time.Minute)
		b.appLives("after a use", handle, true)
		b.ssoLives("the SSO session, used by the application", sso, true)
		b.clock.Advance(DefaultIdle)
		b.appLives("idle", handle, false)
		if _, err := b.Known(t.Context(), sso); err != nil {
			t.Errorf("an idle session cannot be signed out: %v", err)
		}
	})
	t.Run("at the end of the lifetime, however busy", func(t *testing.T) {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		handle := b.appSession(s.SID)
		for range 2 * int(DefaultLifetime/DefaultIdle) {
			b.clock.Advance(DefaultIdle / 2)
			_ = b.AppSession(t.Context(), "demo", handle, new(kept))
		}
		b.appLives("after the lifetime", handle, false)
	})
}

func TestAppSessionsNeedASession(t *testing.T) {
	b := newBench(t)
	s, sso := b.signedIn("", "ada")
	handle := b.appSession(s.SID)
	if err := b.AppSession(t.Context(), "other", handle, new(kept)); !errors.Is(err, ErrNoSession) {
		t.Errorf("another application's handle: %v", err)
	}
	for _, wrong := range []string{"", "x", "x.y", sso, s.SID + "." + strings.Repeat("A", sidLength), strings.Repeat("/", sidLength) + "." + strings.Repeat("A", sidLength)} {
		b.appLives("handle "+wrong, wrong, false)
		if err := b.EndApp(t.Context(), "demo", wrong); err != nil {
			t.Errorf("ending %q: %v", wrong, err)
		}
	}
	if _, err := b.CreateApp(t.Context(), "demo", strings.Repeat("A", sidLength), kept{}); !errors.Is(err, ErrNoSession) {
		t.Errorf("below no session: %v", err)
	}
}

// A logout that comes between finding the session and writing below it must
// not be survived.
func TestAppSessionsLoseTheRaceWithALogout(t *testing.T) {
	b := newBench(t)
	s, _ := b.signedIn("", "ada")
	inner := *b.Manager
	b.Store = endsOnPut{b.Store, func() { _ = inner.End(t.Context(), s.SID) }}
	if _, err := b.CreateApp(t.Context(), "demo", s.SID, kept{}); !errors.Is(err, ErrNoSession) {
		t.Errorf("got %v", err)
	}
	if left := b.records(s.SID); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// endsOnPut calls end before each Put.
type endsOnPut struct {
	store.Store
	end func()
}

func (e endsOnPut) Put(ctx context.Context, key string, value []byte, ttl time.Duration) error {
	e.end()
	return e.Store.Put(ctx, key, value, ttl)
}
