package store_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store/storetest"
)

func TestLazyMemory(t *testing.T) {
	storetest.Run(t, func(_ *testing.T, now func() time.Time) store.Store {
		return store.Lazy(func(context.Context) (store.Store, error) {
			return store.NewMemory(now), nil
		})
	})
}

func TestLazyOpensOnFirstUse(t *testing.T) {
	broken := errors.New("disk not mounted yet")
	opened := 0
	var failure error
	s := store.Lazy(func(context.Context) (store.Store, error) {
		opened++
		return store.NewMemory(nil), failure
	})
	if opened != 0 {
		t.Fatal("a store that nobody uses was opened")
	}
	failure = broken
	if _, err := s.Get(t.Context(), "a"); !errors.Is(err, broken) {
		t.Errorf("Get() = %v, want %v", err, broken)
	}
	failure = nil // no restart is needed
	for range 2 {
		if err := s.Put(t.Context(), "a", nil, 0); err != nil {
			t.Errorf("Put() = %v", err)
		}
	}
	if opened != 2 {
		t.Errorf("opened %d times, want once in vain and once for good", opened)
	}
}

func TestLazyNeverOpenedCloses(t *testing.T) {
	s := store.Lazy(func(context.Context) (store.Store, error) {
		t.Error("opened for closing, or after it")
		return store.NewMemory(nil), nil
	})
	if err := s.Close(); err != nil {
		t.Errorf("Close() = %v", err)
	}
	if err := s.Open(t.Context()); err == nil {
		t.Error("Open() = nil after Close")
	}
}
