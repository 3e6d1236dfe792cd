package session

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestCreateGate(t *testing.T) {
	b := newBench(t)
	s, _ := b.signedIn("", "ada")
	made, handle, err := b.CreateGate(t.Context(), authorization(s.SID))
	if err != nil {
		t.Fatal(err)
	}
	got, err := b.GateSession(t.Context(), handle)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(made, got); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(authorization(s.SID), got.Authorization); diff != "" {
		t.Error(diff)
	}
	if next := b.gateSession(s.SID); next == handle {
		t.Error("two gate sessions share a handle")
	}
}

func TestCreateGate_NeedsALiveSession(t *testing.T) {
	b := newBench(t)
	ended, _ := b.signedIn("", "ada")
	if err := b.End(t.Context(), ended.SID); err != nil {
		t.Fatal(err)
	}
	for name, sid := range map[string]string{"ended": ended.SID, "never was": store.NewSecret()} {
		g, handle, err := b.CreateGate(t.Context(), authorization(sid))
		if !errors.Is(err, ErrNoSession) || g != nil || handle != "" {
			t.Errorf("%s: %v, %q, %v", name, g, handle, err)
		}
		if keys := b.records(sid); len(keys) != 0 {
			t.Errorf("%s: left behind %q", name, keys)
		}
	}
}

func TestCreateGate_StoreFailure(t *testing.T) {
	b := newBench(t)
	s, _ := b.signedIn("", "ada")
	inner := b.Store
	for n := 1; n <= 2; n++ { // write, look
		b.Store = storetest.Faulty(inner, n)
		if g, handle, err := b.CreateGate(t.Context(), authorization(s.SID)); err == nil || errors.Is(err, ErrNoSession) || g != nil || handle != "" {
			t.Errorf("fault %d: %v, %q, %v", n, g, handle, err)
		}
	}
}

func TestS17_LimitsOfGate(t *testing.T) {
	t.Run("idle", func(t *testing.T) {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		handle := b.gateSession(s.SID)
		b.clock.Advance(DefaultIdle - time.Second)
		b.gateLives("a second early", handle, true)
		b.clock.Advance(time.Second)
		b.gateLives("on time", handle, false)
	})
	t.Run("absolute", func(t *testing.T) {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		handle := b.gateSession(s.SID)
		for range 23 {
			b.clock.Advance(DefaultLifetime / 24)
			b.touch(handle, b.clock.Now())
		}
		b.gateLives("half an hour early", handle, true)
		b.clock.Advance(DefaultLifetime / 24)
		b.gateLives("on time", handle, false)
		if keys := b.records(s.SID); len(keys) != 0 {
			t.Errorf("left behind: %q", keys)
		}
	})
}

func (b *bench) touch(handle string, used time.Time) {
	b.t.Helper()
	if err := b.TouchGate(b.t.Context(), handle, used); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) used(handle string) time.Time {
	b.t.Helper()
	g, err := b.GateSession(b.t.Context(), handle)
	if err != nil {
		b.t.Fatal(err)
	}
	return g.Used
}

func TestTouchGate(t *testing.T) {
	b := newBench(t)
	s, _ := b.signedIn("", "ada")
	handle := b.gateSession(s.SID)
	start := b.clock.Now()
	b.clock.Advance(time.Minute)
	b.touch(handle, start.Add(30*time.Second))
	if got := b.used(handle); !got.Equal(start.Add(30 * time.Second)) {
		t.Errorf("used %v", got)
	}
	b.touch(handle, start.Add(10*time.Second))
	if got := b.used(handle); !got.Equal(start.Add(30 * time.Second)) {
		t.Errorf("an older use moved it back to %v", got)
	}
	b.clock.Advance(DefaultIdle)
	if err := b.TouchGate(t.Context(), handle, b.clock.Now()); !errors.Is(err, ErrNoSession) {
		t.Errorf("a touch wakes a session that idled out: %v", err)
	}
}

func TestEndGate(t *testing.T) {
	b := newBench(t)
	s, sso := b.signedIn("", "ada")
	one, two := b.gateSession(s.SID), b.gateSession(s.SID)
	for range 2 { // ending twice is no error
		if err := b.EndGate(t.Context(), one); err != nil {
			t.Fatal(err)
		}
	}
	b.gateLives("ended", one, false)
	b.gateLives("the other site's", two, true)
	b.ssoLives("SSO", sso, true)
	// An SSO handle names no gate record, so it cannot end the session.
	if err := b.EndGate(t.Context(), sso); err != nil {
		t.Fatal(err)
	}
	b.ssoLives("SSO after EndGate of its handle", sso, true)
}

func TestGateSession_IncompleteRecord(t *testing.T) {
	b := newBench(t)
	s, _ := b.signedIn("", "ada")
	handle := b.gateSession(s.SID)
	keys := slices.DeleteFunc(b.records(s.SID), func(key string) bool { return strings.HasSuffix(key, "/sso") })
	for _, record := range []string{
		`{"sid":"x","created":"2026-01-01T12:00:00Z","used":"2026-01-01T12:00:00Z"}`,
		`{"sid":"x","created":"2026-01-01T12:00:00Z","used":"2026-01-01T12:00:00Z","authorization":{"id":"a"}}`,
		`{}`,
	} {
		if err := b.Store.Put(t.Context(), keys[0], []byte(record), 0); err != nil {
			t.Fatal(err)
		}
		b.gateLives(record, handle, false)
	}
}
