package session

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// beforeSwap runs act once, right before the first Swap.
type beforeSwap struct {
	store.Store
	once sync.Once
	act  func()
}

func (s *beforeSwap) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	s.once.Do(s.act)
	return s.Store.Swap(ctx, key, old, new, ttl)
}

// Between the look at the old session and the write, another tab is faster.
func TestSignedIn_RaceOfTwoTabs(t *testing.T) {
	b := newBench(t)
	first, handle := b.signedIn("", "ada")
	inner := b.Store
	var faster string
	b.Store = &beforeSwap{Store: inner, act: func() {
		twin := *b.Manager
		twin.Store = inner
		_, faster, _ = twin.SignedIn(t.Context(), handle, "staff", login("ada"))
	}}
	s, slower := b.signedIn(handle, "ada")
	if s.SID == first.SID {
		t.Error("both tabs wrote one record")
	}
	b.ssoLives("the spent handle", handle, false)
	b.ssoLives("the faster tab's", faster, true)
	b.ssoLives("the slower tab's", slower, true)
}

// A sign-in under way must not bring back what a logout has ended.
func TestR46_LogoutDuringSignIn(t *testing.T) {
	b := newBench(t)
	old, handle := b.signedIn("", "ada")
	inner := b.Store
	b.Store = &beforeSwap{Store: inner, act: func() {
		if err := b.End(t.Context(), old.SID); err != nil {
			t.Error(err)
		}
	}}
	s, fresh := b.signedIn(handle, "ada")
	if s.SID == old.SID {
		t.Error("the ended session is back")
	}
	if keys := b.records(old.SID); len(keys) != 0 {
		t.Errorf("the ended session has records %q", keys)
	}
	b.ssoLives("old", handle, false)
	b.ssoLives("fresh", fresh, true)
}

// Whatever the order of a logout and the gate sign-ins that race with it,
// no gate session may outlive it.
func TestS18_NoGateSessionOutlivesTheLogout(t *testing.T) {
	const racers = 64
	for range 20 {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		var start, done sync.WaitGroup
		start.Add(1)
		handles := make([]string, racers)
		for i := range racers {
			done.Go(func() {
				start.Wait()
				if i == racers/2 {
					if err := b.End(t.Context(), s.SID); err != nil {
						t.Error(err)
					}
					return
				}
				_, handle, err := b.CreateGate(t.Context(), authorization(s.SID))
				if err != nil && !errors.Is(err, ErrNoSession) {
					t.Error(err)
				}
				handles[i] = handle
			})
		}
		start.Done()
		done.Wait()
		for _, handle := range handles {
			b.gateLives("after the logout", handle, false)
		}
		if keys := b.records(s.SID); len(keys) != 0 {
			t.Fatalf("orphans: %q", keys)
		}
	}
}

// The same race at its narrowest: the logout runs between the two steps of
// CreateGate.
func TestS18_LogoutInsideCreateGate(t *testing.T) {
	for _, moment := range []string{"before the record is written", "after it"} {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		inner := b.Store
		end := func() {
			twin := *b.Manager
			twin.Store = inner
			if err := twin.End(t.Context(), s.SID); err != nil {
				t.Error(err)
			}
		}
		b.Store = &beforeSwap{Store: inner, act: end}
		if moment == "after it" {
			b.Store = &beforeGet{Store: inner, act: end}
		}
		_, handle, err := b.CreateGate(t.Context(), authorization(s.SID))
		if !errors.Is(err, ErrNoSession) || handle != "" {
			t.Errorf("%s: %q, %v", moment, handle, err)
		}
		if keys := b.records(s.SID); len(keys) != 0 {
			t.Errorf("%s: orphans %q", moment, keys)
		}
	}
}

// beforeGet runs act once, right before the first Get.
type beforeGet struct {
	store.Store
	once sync.Once
	act  func()
}

func (s *beforeGet) Get(ctx context.Context, key string) ([]byte, error) {
	s.once.Do(s.act)
	return s.Store.Get(ctx, key)
}

func TestTouchGate_Races(t *testing.T) {
	t.Run("with a logout", func(t *testing.T) {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		handle := b.gateSession(s.SID)
		inner := b.Store
		b.Store = &beforeSwap{Store: inner, act: func() {
			if err := b.End(t.Context(), s.SID); err != nil {
				t.Error(err)
			}
		}}
		b.touch(handle, b.clock.Now().Add(time.Second))
		b.gateLives("touched while it ended", handle, false)
		if keys := b.records(s.SID); len(keys) != 0 {
			t.Errorf("the touch brought back %q", keys)
		}
	})
	t.Run("with another touch", func(t *testing.T) {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		handle := b.gateSession(s.SID)
		later := b.clock.Now().Add(2 * time.Second)
		inner := b.Store
		b.Store = &beforeSwap{Store: inner, act: func() {
			twin := *b.Manager
			twin.Store = inner
			if err := twin.TouchGate(t.Context(), handle, later); err != nil {
				t.Error(err)
			}
		}}
		b.touch(handle, later.Add(-time.Second))
		if got := b.used(handle); !got.Equal(later) {
			t.Errorf("used %v, want the later %v", got, later)
		}
	})
	t.Run("with a failing store", func(t *testing.T) {
		b := newBench(t)
		s, _ := b.signedIn("", "ada")
		handle := b.gateSession(s.SID)
		b.Store = storetest.Faulty(b.Store, 2)
		if err := b.TouchGate(t.Context(), handle, b.clock.Now().Add(time.Second)); err == nil {
			t.Error("the failure is lost")
		}
	})
}

// And from the other side: a gate sign-in runs while End already walks its
// list, which it can only notice because the SSO record went first.
func TestS18_CreateGateInsideLogout(t *testing.T) {
	b := newBench(t)
	s, _ := b.signedIn("", "ada")
	b.gateSession(s.SID)
	inner := b.Store
	b.Store = &afterList{Store: inner, act: func() {
		twin := *b.Manager
		twin.Store = inner
		if _, handle, err := twin.CreateGate(t.Context(), authorization(s.SID)); !errors.Is(err, ErrNoSession) || handle != "" {
			t.Errorf("signed in to a gate during the logout: %q, %v", handle, err)
		}
	}}
	if err := b.End(t.Context(), s.SID); err != nil {
		t.Fatal(err)
	}
	if keys := b.records(s.SID); len(keys) != 0 {
		t.Errorf("orphans %q", keys)
	}
}

// afterList runs act once, right after the first List.
type afterList struct {
	store.Store
	once sync.Once
	act  func()
}

func (s *afterList) List(ctx context.Context, prefix, after string, limit int) ([]string, error) {
	keys, err := s.Store.List(ctx, prefix, after, limit)
	s.once.Do(s.act)
	return keys, err
}
