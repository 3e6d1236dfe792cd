package session

import (
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/authn"
)

func TestOfUser(t *testing.T) {
	b := newBench(t)
	ctx := t.Context()
	first, _ := b.signedIn("", "ada")
	b.clock.Advance(time.Minute)
	s, handle, err := b.SignedIn(ctx, "", "staff", Login{Subject: "ada", Device: "Firefox on Linux"})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := b.SignedIn(ctx, handle, "guests", Login{Subject: "ada", Device: "Firefox on Linux"}); err != nil {
		t.Fatal(err)
	}
	other, _ := b.signedIn("", "ad")
	for _, client := range []string{"gate:b", "gate:a", "gate:a"} {
		a := &authn.Authorization{SID: s.SID, ClientID: client, Subject: "ada", Context: &authn.Context{Subject: "ada"}}
		if _, _, err := b.CreateGate(ctx, a); err != nil {
			t.Fatal(err)
		}
	}
	// Somebody else, through another connection of the same browser.
	foreign := &authn.Authorization{SID: s.SID, ClientID: "gate:c", Subject: "grace", Context: &authn.Context{Subject: "grace"}}
	if _, _, err := b.CreateGate(ctx, foreign); err != nil {
		t.Fatal(err)
	}
	got, err := b.OfUser(ctx, "ada")
	if err != nil {
		t.Fatal(err)
	}
	now := b.clock.Now().UTC()
	want := []UserSession{
		{SID: s.SID, Created: now, Used: now, Expires: now.Add(b.Limits.Lifetime), Device: "Firefox on Linux", Connections: []string{"guests", "staff"}, Clients: []string{"gate:a", "gate:b"}},
		{SID: first.SID, Created: now.Add(-time.Minute), Used: now.Add(-time.Minute), Expires: now.Add(b.Limits.Lifetime - time.Minute), Connections: []string{"staff"}},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatal(diff)
	}

	t.Run("nobody ends another's", func(t *testing.T) {
		for _, sid := range []string{other.SID, "", "x", s.SID + "/sso"} {
			if err := b.EndOfUser(ctx, "ada", sid); !errors.Is(err, ErrNoSession) {
				t.Errorf("%q: %v", sid, err)
			}
		}
		if alive, err := b.Alive(ctx, other.SID); err != nil || !alive {
			t.Errorf("alive %t, %v", alive, err)
		}
	})
	t.Run("one", func(t *testing.T) {
		if err := b.EndOfUser(ctx, "ada", first.SID); err != nil {
			t.Fatal(err)
		}
		left, err := b.OfUser(ctx, "ada")
		if err != nil || len(left) != 1 || left[0].SID != s.SID {
			t.Errorf("left %v, %v", left, err)
		}
	})
	t.Run("all, the idle too", func(t *testing.T) {
		b.clock.Advance(b.Limits.Idle)
		if idle, err := b.OfUser(ctx, "ada"); err != nil || len(idle) != 0 {
			t.Errorf("idle sessions are listed: %v, %v", idle, err)
		}
		if err := b.EndUser(ctx, "ada"); err != nil {
			t.Fatal(err)
		}
		if alive, err := b.Alive(ctx, s.SID); err != nil || alive {
			t.Errorf("alive %t, %v", alive, err)
		}
		if alive, err := b.Alive(ctx, other.SID); err != nil || !alive {
			t.Errorf("another user's: alive %t, %v", alive, err)
		}
	})
}

// A user whose session somebody else has taken over does not own it any more.
func TestEndOfUser_OfAFormerUser(t *testing.T) {
	b := newBench(t)
	s, handle := b.signedIn("", "ada")
	b.signedIn(handle, "grace") // ends ada's
	if err := b.EndUser(t.Context(), "ada"); err != nil {
		t.Fatal(err)
	}
	if _, err := b.SSO(t.Context(), handle); !errors.Is(err, ErrNoSession) {
		t.Errorf("the old handle: %v", err)
	}
	if got, err := b.OfUser(t.Context(), "grace"); err != nil || len(got) != 1 || got[0].SID == s.SID {
		t.Errorf("grace's sessions: %v, %v", got, err)
	}
}
