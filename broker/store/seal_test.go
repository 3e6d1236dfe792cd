package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

// raw returns what a sealed store has written into the inner one.
func raw(t *testing.T, inner store.Store, key string) []byte {
	t.Helper()
	value, err := inner.Get(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	return value
}

func TestS87_SealedValuesAreUnreadable(t *testing.T) {
	inner := store.NewMemory(nil)
	s := store.Sealed(inner, newRing(t, testKey(1)))
	const canary = "canary: not-a-secret"
	writes := map[string]func(key string) error{
		"Put":  func(key string) error { return s.Put(t.Context(), key, []byte(canary), 0) },
		"Swap": func(key string) error { return s.Swap(t.Context(), key, nil, []byte(canary), 0) },
		"Swap again": func(key string) error {
			return errors.Join(
				s.Put(t.Context(), key, []byte("old"), 0),
				s.Swap(t.Context(), key, []byte("old"), []byte(canary), 0))
		},
	}
	for name, write := range writes {
		if err := write(name); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if value := raw(t, inner, name); bytes.Contains(value, []byte("canary")) {
			t.Errorf("%s left the value in clear: %q", name, value)
		}
	}
}

// The attacker can write to the database, as with a stolen backup that gets
// restored, but has no sealing key. He wants the record of another user to
// hold what his own does.
func TestS87_ValuesCannotMoveBetweenRecords(t *testing.T) {
	inner := store.NewMemory(nil)
	s := store.Sealed(inner, newRing(t, testKey(1)))
	if err := s.Put(t.Context(), "session/admin", []byte("administrator"), 0); err != nil {
		t.Fatal(err)
	}
	if err := inner.Put(t.Context(), "session/mine", raw(t, inner, "session/admin"), 0); err != nil {
		t.Fatal(err)
	}
	wantSealed(t, s, "session/mine")
}

// wantSealed checks that no method gets at the value of key, and Take last.
func wantSealed(t *testing.T, s store.Store, key string) {
	t.Helper()
	if got, err := s.Get(t.Context(), key); !errors.Is(err, store.ErrSealed) {
		t.Errorf("Get(%q) = %q, %v, want %v", key, got, err, store.ErrSealed)
	}
	if err := s.Swap(t.Context(), key, []byte("administrator"), []byte("new"), 0); !errors.Is(err, store.ErrSealed) {
		t.Errorf("Swap(%q) = %v, want %v", key, err, store.ErrSealed)
	}
	if got, err := s.Take(t.Context(), key); !errors.Is(err, store.ErrSealed) {
		t.Errorf("Take(%q) = %q, %v, want %v", key, got, err, store.ErrSealed)
	}
}

func TestS87_ChangedValuesDoNotOpen(t *testing.T) {
	inner := store.NewMemory(nil)
	s := store.Sealed(inner, newRing(t, testKey(1)))
	if err := s.Put(t.Context(), "a", []byte("administrator"), 0); err != nil {
		t.Fatal(err)
	}
	good := raw(t, inner, "a")
	put := func(value []byte) {
		t.Helper()
		if err := inner.Put(t.Context(), "a", value, 0); err != nil {
			t.Fatal(err)
		}
	}
	for i := range good {
		bad := bytes.Clone(good)
		bad[i] ^= 1
		put(bad)
		wantSealed(t, s, "a")
	}
	for n := range len(good) {
		put(good[:n])
		wantSealed(t, s, "a")
	}
	put(append(bytes.Clone(good), 0))
	wantSealed(t, s, "a")
	put([]byte("administrator"))
	wantSealed(t, s, "a")
}

func TestSealingKeysRotate(t *testing.T) {
	inner := store.NewMemory(nil)
	before := store.Sealed(inner, newRing(t, testKey(1)))
	during := store.Sealed(inner, newRing(t, testKey(2), testKey(1)))
	after := store.Sealed(inner, newRing(t, testKey(2)))
	for _, key := range []string{"kept", "rewritten"} {
		if err := before.Put(t.Context(), key, []byte("one"), 0); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := during.Get(t.Context(), "kept"); err != nil || string(got) != "one" {
		t.Errorf("an older key opens to %q, %v", got, err)
	}
	if err := during.Swap(t.Context(), "rewritten", []byte("one"), []byte("two"), 0); err != nil {
		t.Errorf("Swap over an older key = %v", err)
	}
	if got, err := after.Get(t.Context(), "rewritten"); err != nil || string(got) != "two" {
		t.Errorf("what was written with both keys opens with the new one to %q, %v", got, err)
	}
	wantSealed(t, after, "kept")
}

// Two writers have read the same value. The one that loses must be told,
// even though both sealed the same plaintext.
func TestSealedSwapLosesToAWriterInBetween(t *testing.T) {
	inner := store.NewMemory(nil)
	ring := newRing(t, testKey(1))
	if err := store.Sealed(inner, ring).Put(t.Context(), "a", []byte("one"), 0); err != nil {
		t.Fatal(err)
	}
	between := &interposed{Store: inner}
	between.beforeSwap = func() {
		if err := store.Sealed(inner, ring).Put(t.Context(), "a", []byte("theirs"), 0); err != nil {
			t.Error(err)
		}
	}
	err := store.Sealed(between, ring).Swap(t.Context(), "a", []byte("one"), []byte("ours"), 0)
	if !errors.Is(err, store.ErrConflict) {
		t.Errorf("Swap() = %v, want %v", err, store.ErrConflict)
	}
	if got, err := store.Sealed(inner, ring).Get(t.Context(), "a"); string(got) != "theirs" {
		t.Errorf("Get() = %q, %v: the other writer's value is gone", got, err)
	}
}

func TestSealedStorePassesFaultsOn(t *testing.T) {
	use := func(ctx context.Context, s store.Store) error {
		_, getErr := s.Get(ctx, "a")
		_, listErr := s.List(ctx, "", "", 1)
		_, watchErr := s.Watch(ctx)
		err := errors.Join(getErr, listErr, watchErr,
			s.Swap(ctx, "a", []byte("one"), []byte("two"), 0),
			s.Put(ctx, "b", nil, 0),
			s.Swap(ctx, "c", nil, nil, 0),
			s.Delete(ctx, "b"))
		_, takeErr := s.Take(ctx, "c")
		return errors.Join(err, takeErr)
	}
	for n := 1; ; n++ {
		inner := store.NewMemory(nil)
		ring := newRing(t, testKey(1))
		if err := store.Sealed(inner, ring).Put(t.Context(), "a", []byte("one"), 0); err != nil {
			t.Fatal(err)
		}
		faulty := storetest.Faulty(inner, n)
		err := use(t.Context(), store.Sealed(faulty, ring))
		if !faulty.Fired() {
			if err != nil || n != 10 {
				t.Errorf("%d calls, %v, want 9 calls and no error", n-1, err)
			}
			return
		}
		if !errors.Is(err, storetest.ErrFault) {
			t.Errorf("call %d failed, but the store says %v", n, err)
		}
	}
}

// interposed runs something just before a swap.
type interposed struct {
	store.Store
	beforeSwap func()
}

func (s *interposed) Swap(ctx context.Context, key string, old, new []byte, ttl time.Duration) error {
	s.beforeSwap()
	return s.Store.Swap(ctx, key, old, new, ttl)
}

func TestErrSealedTellsNothing(t *testing.T) {
	ring := newRing(t, testKey(1))
	_, short := ring.Open("p", nil)
	_, unknown := ring.Open("p", make([]byte, 100))
	_, changed := ring.Open("q", ring.Seal("p", []byte("canary")))
	for _, err := range []error{short, unknown, changed} {
		if err != store.ErrSealed || strings.Contains(fmt.Sprint(err), "canary") {
			t.Errorf("Open() = %v, want exactly %v", err, store.ErrSealed)
		}
	}
}
