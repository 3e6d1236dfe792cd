package storetest

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/caddy-auth-broker/caddy-auth-broker/broker/store"
)

// upkeeper is what backends have that do not remove expired records by
// themselves.
type upkeeper interface {
	Upkeep(ctx context.Context) error
}

func testExpiry(t *testing.T, open Open) {
	t.Run("a value is there until its time is over", func(t *testing.T) {
		p := start(t, open)
		p.putFor(time.Minute, "a", "one")
		p.putFor(0, "keeps", "two")
		p.clock.Advance(time.Minute - time.Millisecond)
		p.want("a", "one")
		p.clock.Advance(time.Millisecond)
		p.wantNone("a")
		p.clock.Advance(100 * 365 * 24 * time.Hour)
		p.want("keeps", "two")
	})
	t.Run("no method sees an expired value", func(t *testing.T) {
		p := start(t, open)
		for _, key := range []string{"get", "take", "swap"} {
			p.putFor(time.Minute, key, "old")
		}
		p.clock.Advance(time.Minute)
		p.wantNone("get")
		_, err := p.Take(p.ctx, "take")
		p.wantErr("Take()", err, store.ErrNotFound)
		err = p.Swap(p.ctx, "swap", []byte("old"), []byte("new"), 0)
		p.wantErr("Swap()", err, store.ErrConflict)
		p.wantKeys("", "", 10)
	})
	t.Run("the key of an expired value is free", func(t *testing.T) {
		p := start(t, open)
		p.putFor(time.Minute, "swap", "old")
		p.putFor(time.Minute, "put", "old")
		p.clock.Advance(time.Minute)
		if err := p.Swap(p.ctx, "swap", nil, []byte("new"), time.Minute); err != nil {
			t.Errorf("Swap(nil) = %v over an expired value", err)
		}
		p.putFor(time.Minute, "put", "new")
		p.want("swap", "new")
		p.want("put", "new")
		p.wantKeys("", "", 10, "put", "swap")
	})
	t.Run("each write sets the time anew", func(t *testing.T) {
		p := start(t, open)
		for _, key := range []string{"put", "swap", "for ever", "no more"} {
			p.putFor(time.Minute, key, "one")
		}
		p.putFor(0, "no more", "one")
		p.clock.Advance(30 * time.Second)
		p.putFor(time.Minute, "put", "two")
		p.putFor(0, "for ever", "two")
		p.putFor(time.Second, "no more", "two")
		if err := p.Swap(p.ctx, "swap", []byte("one"), []byte("two"), time.Minute); err != nil {
			t.Errorf("Swap() = %v", err)
		}
		p.clock.Advance(59 * time.Second)
		p.wantKeys("", "", 10, "for ever", "put", "swap")
		p.clock.Advance(time.Second)
		p.wantKeys("", "", 10, "for ever")
	})
	t.Run("a clock that runs backwards harms nothing", func(t *testing.T) { // S124
		p := start(t, open)
		p.putFor(time.Minute, "a", "one")
		p.clock.Advance(-10 * 365 * 24 * time.Hour)
		p.want("a", "one")
		p.putFor(time.Minute, "b", "two")
		p.want("b", "two")
	})
	t.Run("a negative time to live is an error", func(t *testing.T) {
		p := start(t, open)
		p.put("a", "one")
		if err := p.Put(p.ctx, "a", []byte("two"), -1); err == nil {
			t.Error("Put(ttl -1ns) = nil")
		}
		err := p.Swap(p.ctx, "a", []byte("one"), []byte("two"), -time.Hour)
		if err == nil || errors.Is(err, store.ErrConflict) {
			t.Errorf("Swap(ttl -1h) = %v, want an error of its own", err)
		}
		p.want("a", "one")
	})
	t.Run("S90 upkeep removes nothing that is live", func(t *testing.T) {
		p := start(t, open)
		up, ok := p.Store.(upkeeper)
		if !ok {
			return // nothing to look after
		}
		const n = 600 // more than a backend removes at once
		for i := range n {
			p.putFor(time.Minute, fmt.Sprintf("expired/%03d", i), "one")
			p.putFor(time.Hour, fmt.Sprintf("live/%03d", i), "two")
			p.putFor(0, fmt.Sprintf("permanent/%03d", i), "three")
		}
		p.clock.Advance(time.Minute)
		if err := up.Upkeep(p.ctx); err != nil {
			t.Fatalf("Upkeep() = %v", err)
		}
		p.wantKeys("expired/", "", n)
		for _, prefix := range []string{"live/", "permanent/"} {
			if keys, err := p.List(p.ctx, prefix, "", 2*n); err != nil || len(keys) != n {
				t.Errorf("List(%q) = %d keys, %v after upkeep, want %d", prefix, len(keys), err, n)
			}
		}
		p.clock.Advance(-time.Minute) // brings back whatever was only hidden
		p.wantKeys("expired/", "", n)
	})
}
