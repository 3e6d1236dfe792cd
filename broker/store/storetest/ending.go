package storetest

import (
	"context"
	"errors"
	"testing"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// calls are all methods that reach the records.
var calls = []struct {
	name string
	do   func(context.Context, store.Store) error
}{
	{"Get", func(ctx context.Context, s store.Store) error { _, err := s.Get(ctx, "a"); return err }},
	{"Put", func(ctx context.Context, s store.Store) error { return s.Put(ctx, "a", []byte("two"), 0) }},
	{"Swap", func(ctx context.Context, s store.Store) error {
		return s.Swap(ctx, "a", []byte("one"), []byte("two"), 0)
	}},
	{"Swap nil", func(ctx context.Context, s store.Store) error { return s.Swap(ctx, "b", nil, []byte("two"), 0) }},
	{"Take", func(ctx context.Context, s store.Store) error { _, err := s.Take(ctx, "a"); return err }},
	{"List", func(ctx context.Context, s store.Store) error { _, err := s.List(ctx, "", "", 10); return err }},
	{"Delete", func(ctx context.Context, s store.Store) error { return s.Delete(ctx, "a") }},
}

func testEnding(t *testing.T, open Open) {
	t.Run("a cancelled call does nothing", func(t *testing.T) {
		p := start(t, open)
		p.put("a", "one")
		ctx, cancel := context.WithCancel(p.ctx)
		cancel()
		for _, call := range calls {
			p.wantErr(call.name+"(cancelled)", call.do(ctx, p.Store), context.Canceled)
		}
		p.want("a", "one")
		p.wantKeys("", "", 10, "a")
	})
	t.Run("a closed store fails", func(t *testing.T) {
		s := open(t, NewClock().Now)
		if err := s.Put(t.Context(), "a", []byte("one"), 0); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil {
			t.Fatalf("Close() = %v", err)
		}
		for _, call := range calls {
			err := call.do(t.Context(), s)
			if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
				t.Errorf("%s() = %v after Close, want an error of its own", call.name, err)
			}
		}
	})
	t.Run("a watch ends with its context", func(t *testing.T) {
		p := start(t, open)
		ctx, cancel := context.WithCancel(p.ctx)
		changes, err := p.Watch(ctx)
		if err != nil {
			t.Fatalf("Watch() = %v", err)
		}
		cancel()
		if changes == nil {
			return // nobody else can change this store
		}
		for range changes {
		}
	})
}
