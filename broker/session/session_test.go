package session

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestSignedIn(t *testing.T) {
	b := newBench(t)
	s, handle := b.signedIn("", "ada")
	got, err := b.SSO(t.Context(), handle)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(s, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]Login{"staff": login("ada")}, got.Logins); diff != "" {
		t.Error(diff)
	}
	if alive, err := b.Alive(t.Context(), s.SID); !alive || err != nil {
		t.Errorf("alive: %v, %v", alive, err)
	}
}

func TestR47_SignInRotatesTheHandle(t *testing.T) {
	b := newBench(t)
	first, planted := b.signedIn("", "ada")
	gate := b.gateSession(first.SID)
	second, fresh := b.signedIn(planted, "ada")
	if fresh == planted {
		t.Fatal("the handle has not changed")
	}
	b.ssoLives("the handle from before the sign-in", planted, false)
	b.ssoLives("the new handle", fresh, true)
	b.gateLives("the gate session of the same user", gate, true)
	if second.SID != first.SID || !second.Created.Equal(first.Created) {
		t.Error("the same user's next sign-in is another session")
	}
}

// The attacker plants a handle of their own session; the victim signs in by
// another connection. Nothing the attacker holds may reach the result.
func TestR47_PlantedHandleOfAnotherConnection(t *testing.T) {
	b := newBench(t)
	_, planted := b.signedIn("", "mallory")
	s, fresh, err := b.SignedIn(t.Context(), planted, "guests", login("ada"))
	if err != nil {
		t.Fatal(err)
	}
	b.ssoLives("planted", planted, false)
	b.ssoLives("fresh", fresh, true)
	if len(s.Logins) != 2 {
		t.Errorf("logins %v, want one by connection", s.Logins)
	}
}

// An invented handle is not adopted, not even its sid.
func TestR47_InventedHandle(t *testing.T) {
	b := newBench(t)
	invented := store.NewSecret() + "." + store.NewSecret()
	s, fresh := b.signedIn(invented, "ada")
	if strings.HasPrefix(invented, s.SID) {
		t.Error("the session took the attacker's sid")
	}
	b.ssoLives("invented", invented, false)
	b.ssoLives("fresh", fresh, true)
}

func TestS16_UserSwitchEndsTheOldSession(t *testing.T) {
	b := newBench(t)
	old, oldHandle := b.signedIn("", "ada")
	gate := b.gateSession(old.SID)
	s, handle := b.signedIn(oldHandle, "bob")
	if s.SID == old.SID {
		t.Error("bob continues ada's session")
	}
	if diff := cmp.Diff(map[string]Login{"staff": login("bob")}, s.Logins); diff != "" {
		t.Error(diff)
	}
	b.ssoLives("ada's", oldHandle, false)
	b.gateLives("ada's gate", gate, false)
	b.ssoLives("bob's", handle, true)
	if diff := cmp.Diff([]string{old.SID}, b.ended); diff != "" {
		t.Error(diff)
	}
}

func TestS17_LimitsOfSSO(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		b := newBench(t)
		_, handle := b.signedIn("", "ada")
		b.clock.Advance(DefaultIdle - time.Second)
		b.ssoLives("a second early", handle, true)
		b.clock.Advance(time.Second)
		b.ssoLives("on time", handle, false)
	})
	t.Run("signing in puts off the idle end", func(t *testing.T) {
		b := newBench(t)
		_, handle := b.signedIn("", "ada")
		b.clock.Advance(DefaultIdle - time.Second)
		_, handle = b.signedIn(handle, "ada")
		b.clock.Advance(DefaultIdle - time.Second)
		b.ssoLives("used an hour ago", handle, true)
	})
	t.Run("nothing puts off the absolute end", func(t *testing.T) {
		b := newBench(t)
		first, handle := b.signedIn("", "ada")
		for range 24 {
			b.clock.Advance(DefaultLifetime / 24)
			if b.clock.Now().Sub(first.Created) == DefaultLifetime {
				break
			}
			var s *SSO
			if s, handle = b.signedIn(handle, "ada"); s.SID != first.SID {
				t.Fatal("the session ended early")
			}
		}
		b.ssoLives("at the end of its life", handle, false)
		if next, _ := b.signedIn(handle, "ada"); next.SID == first.SID || !next.Created.Equal(b.clock.Now()) {
			t.Error("a sign-in prolongs the dead session")
		}
	})
	t.Run("also of a record that the store forgot to drop", func(t *testing.T) {
		b := newBench(t)
		b.Limits.Idle = 2 * DefaultLifetime // out of the way
		s, sso := b.signedIn("", "ada")
		gate := b.gateSession(s.SID)
		for _, key := range b.records(s.SID) {
			raw, err := b.Store.Get(t.Context(), key)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Store.Put(t.Context(), key, raw, 0); err != nil {
				t.Fatal(err)
			}
		}
		b.clock.Advance(DefaultLifetime - time.Second)
		b.ssoLives("SSO, a second early", sso, true)
		b.gateLives("gate, a second early", gate, true)
		b.clock.Advance(time.Second)
		b.ssoLives("SSO", sso, false)
		b.gateLives("gate", gate, false)
	})
	t.Run("the record goes by itself", func(t *testing.T) {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		b.clock.Advance(DefaultLifetime)
		if keys := b.records(s.SID); len(keys) != 0 {
			t.Errorf("left behind: %q", keys)
		}
	})
}

func TestR46_EndEndsEverything(t *testing.T) {
	b := newBench(t)
	s, handle := b.signedIn("", "ada")
	other, otherHandle := b.signedIn("", "ada") // her other browser
	otherGate := b.gateSession(other.SID)
	gates := make([]string, 250) // more than two pages of End's
	for i := range gates {
		gates[i] = b.gateSession(s.SID)
	}
	if err := b.End(t.Context(), s.SID); err != nil {
		t.Fatal(err)
	}
	b.ssoLives("SSO", handle, false)
	for _, gate := range gates {
		b.gateLives("gate", gate, false)
	}
	if keys := b.records(s.SID); len(keys) != 0 {
		t.Errorf("%d records are left", len(keys))
	}
	if diff := cmp.Diff([]string{s.SID}, b.ended); diff != "" {
		t.Errorf("Ended: %s", diff)
	}
	b.ssoLives("the other browser", otherHandle, true)
	b.gateLives("the other browser's gate", otherGate, true)
	if alive, err := b.Alive(t.Context(), s.SID); alive || err != nil {
		t.Errorf("alive: %v, %v", alive, err)
	}
}

// A logout that could not be stored must not look like one that was, and can
// be tried again. One that was is complete, whatever fails after it.
func TestS18_EndIsOneWrite(t *testing.T) {
	for n := 1; n <= 4; n++ { // delete SSO, list, delete gate, delete gate
		b := newBench(t)
		s, sso := b.signedIn("", "ada")
		gates := []string{b.gateSession(s.SID), b.gateSession(s.SID)}
		faulty := storetest.Faulty(b.Store, n)
		b.Store = faulty
		err := b.End(t.Context(), s.SID)
		if !faulty.Fired() {
			t.Fatalf("fault %d did not fire", n)
		}
		if stored := n > 1; stored != (err == nil) || stored != (len(b.ended) == 1) {
			t.Errorf("fault %d: %v, Ended was called %d times", n, err, len(b.ended))
		}
		if n == 1 && !strings.HasPrefix(err.Error(), "ending session: ") {
			t.Errorf("fault %d: %v", n, err)
		}
		b.ssoLives("the session", sso, n == 1)
		for _, gate := range gates {
			b.gateLives("a gate session", gate, n == 1)
		}
	}
}

// The browser closes the page while it signs out.
func TestS18_EndOutlivesItsCaller(t *testing.T) {
	b := newBench(t)
	s, sso := b.signedIn("", "ada")
	gone, leave := context.WithCancel(t.Context())
	leave()
	if err := b.End(gone, s.SID); err != nil {
		t.Error(err)
	}
	b.ssoLives("the session", sso, false)
	if left := b.records(s.SID); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

// A site that is entered late in the life of a session must not be left open
// after it, where no list and no logout finds it.
func TestS17_GateSessionsLiveNoLongerThanTheSession(t *testing.T) {
	b := newBench(t)
	s, _ := b.signedIn("", "ada")
	const step = DefaultIdle / 2
	for used := step; used < DefaultLifetime; used += step {
		b.clock.Advance(step)
		if err := b.Touch(t.Context(), s.SID); err != nil {
			t.Fatal(err)
		}
	}
	handle := b.gateSession(s.SID)
	b.gateLives("before the end", handle, true)
	if g, err := b.GateSession(t.Context(), handle); err != nil || !g.Created.Equal(s.Created) {
		t.Errorf("a cache would take it for younger than the session: %v, %v", g, err)
	}
	b.clock.Advance(step)
	b.gateLives("after it", handle, false)
}

func TestSignedIn_StoreFailureIsNoSignIn(t *testing.T) {
	b := newBench(t)
	_, handle := b.signedIn("", "ada")
	inner := b.Store
	for n := 1; n <= 2; n++ { // read, write
		b.Store = storetest.Faulty(inner, n)
		if s, fresh, err := b.SignedIn(t.Context(), handle, "staff", login("ada")); err == nil || errors.Is(err, ErrNoSession) || s != nil && fresh != "" {
			t.Errorf("fault %d: %v, %q, %v", n, s, fresh, err)
		}
	}
	b.Store = storetest.Faulty(inner, 1)
	if _, err := b.SSO(t.Context(), handle); err == nil || errors.Is(err, ErrNoSession) {
		t.Errorf("SSO: %v; a failing store must not look like a visitor without session", err)
	}
	b.Store = storetest.Faulty(inner, 1)
	if alive, err := b.Alive(t.Context(), "sid"); alive || err == nil {
		t.Errorf("Alive: %v, %v", alive, err)
	}
}

func TestUnreadableRecord(t *testing.T) {
	b := newBench(t)
	s, handle := b.signedIn("", "ada")
	if err := b.Store.Put(t.Context(), ssoKey(s.SID), []byte("{"), 0); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SSO(t.Context(), handle); err == nil || err.Error() != "reading session: the record is not readable" {
		t.Errorf("got %v", err)
	}
}
